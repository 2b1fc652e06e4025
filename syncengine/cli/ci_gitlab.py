"""The pipeline that `init --ci gitlab` writes."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.cli.init_templates import Starter, requirement_lines
from syncengine.cli.installation import Installed

PIPELINE = ".gitlab-ci.yml"


def gitlab(installed: Installed) -> Iterator[Starter]:
    """One pipeline: checks on merge requests, apply on the main branch. It installs what is `installed` here."""
    yield Starter(PIPELINE, _PIPELINE.replace("@SYNCENGINE@", requirement_lines(installed)))


_PIPELINE = r"""# Changesets on GitLab: checked on merge requests, applied on the main branch.
# Written by `syncengine init --ci gitlab`; docs/ci.md of syncengine explains every part. To be set up once:
#   - CI/CD variables, all of them *protected* (then only protected branches see them) and masked: LEADBYTE_API_KEY,
#     SYNCENGINE_LEDGER_URL, and SYNCENGINE_LEDGER_KEY of type File (the content of .syncengine/ledger.key)
#   - in syncengine.yaml: `url: env:SYNCENGINE_LEDGER_URL` under `ledger`
#   - a protected branch main: no one may push to it, and merge requests need a review, for this file too
#   - if the plan shall be a comment: SYNCENGINE_COMMENT_TOKEN, a project access token with the role Reporter and the
#     scope api. It is not protected: everyone who can push a branch here can read it.
stages: [check, report, apply]

variables:
@SYNCENGINE@  CHANGESETS: changesets
  DATA: data
  GIT_DEPTH: "0"   # the whole history: plans name the authors of every changeset, who may not approve it

default:
  image: python:3.12   # with bash, git, curl and ssh-keygen

# What strangers may start: no secret, no connection to the ledger or the service.
check:
  stage: check
  timeout: 15 minutes
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  before_script:
    # From elsewhere, so that no file of the merge request can take the place of a module.
    - (cd / && pip install --quiet "$SYNCENGINE")
  script:
    - mkdir -p check
    - printf 'No changeset is added or changed.\n' > check/plan.md
    - git fetch --quiet origin "$CI_MERGE_REQUEST_TARGET_BRANCH_NAME"
    - target=$(git rev-parse FETCH_HEAD)
    - base=$(git merge-base "$target" HEAD)
    # A proposal to change the rules is checked, and pointed out, but does not judge itself.
    - |
      if ! git diff --quiet "$base" HEAD -- syncengine.yaml .syncengine schemas .gitlab-ci.yml; then
        echo "WARNING: this merge request changes configuration, policy, signers, schemas or the pipeline. Its" \
          "changesets are judged by those of the target branch; review that change by itself."
        syncengine validate "$CHANGESETS"
      fi
    # From here on the files of the target branch, but for the proposed changesets and data.
    - |
      git restore --source="$target" --worktree -- .
      for folder in "$CHANGESETS" "$DATA"; do
        rm -rf -- "./$folder"
        if git cat-file -e "HEAD:$folder" 2>/dev/null; then
          git restore --source=HEAD --worktree -- "$folder"
        fi
      done
    - export SYNCENGINE_CONFIG="$CI_PROJECT_DIR/syncengine.yaml"
    - syncengine validate "$CHANGESETS" --format sarif > check/validate.sarif || true
    - syncengine validate "$CHANGESETS"
    # Only what the merge request changes: without the ledger, everything in the repository would count as never
    # applied. A changeset is planned, too, when a data file that it names has changed.
    - |
      list=$(mktemp)
      git diff --name-only -z --diff-filter=d "$base" HEAD -- "$CHANGESETS/*.yaml" "$CHANGESETS/*.yml" > "$list"
      git diff --name-only -z --diff-filter=d "$base" HEAD -- "$DATA" |
        while IFS= read -r -d '' file; do
          grep -rlZF --include='*.yaml' --include='*.yml' -e "${file##*/}" -- "$CHANGESETS" >> "$list" || true
        done
      mapfile -d '' -t changed < <(sort -zu "$list")
      code=0
      if [ "${#changed[@]}" -gt 0 ]; then
        syncengine plan --offline --format markdown -- "${changed[@]}" > check/plan.md || code=$?
      fi
      cat check/plan.md
      exit "$code"
  # Masked views only; the plan itself holds lead data and is not even written.
  artifacts:
    when: always
    expose_as: syncengine plan
    paths: [check/plan.md, check/validate.sarif]
    expire_in: 30 days

# Runs nothing of the merge request: it only posts the text.
comment:
  stage: report
  timeout: 10 minutes
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event" && $SYNCENGINE_COMMENT_TOKEN
      when: always
  variables:
    GIT_STRATEGY: none
  script:
    - >-
      curl --fail --silent --show-error --output /dev/null
      --header "PRIVATE-TOKEN: $SYNCENGINE_COMMENT_TOKEN" --data-urlencode "body@check/plan.md"
      "$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"

# What was merged: planned against the shared ledger, applied where the policy's approvals are there.
apply:
  stage: apply
  timeout: 1 hour
  rules:
    - if: $CI_COMMIT_BRANCH == "main" && $CI_PIPELINE_SOURCE != "merge_request_event"
  environment: leadbyte
  resource_group: syncengine-apply   # one at a time; the ledger's lease would see to it anyway
  interruptible: false
  before_script:
    - (cd / && pip install --quiet "$SYNCENGINE")
  script:
    # Without its key the ledger cannot tell which values were applied.
    - mkdir -p .syncengine reports
    - install -m 600 "$SYNCENGINE_LEDGER_KEY" .syncengine/ledger.key
    # Exit 0: nothing to send; 2: something to send; 3: blocked; 1: wrong input. The plan holds lead data: it lies
    # outside the project's folder and goes with the container.
    - |
      plan="$(mktemp -d)/release.plan"
      code=0
      syncengine plan "$CHANGESETS" --out "$plan" --detailed-exitcode --format markdown > reports/plan.md || code=$?
      cat reports/plan.md
      if [ -f "$plan" ]; then
        syncengine show "$plan" --format html > reports/plan.html
        syncengine show "$plan" --format json > reports/plan.json
        digest=$(python -I -c 'import json, sys; print(json.load(sys.stdin)["plan"])' < reports/plan.json)
        printf '\nPlan %s. Its approvals belong into approvals/%s.approval.\n' "$digest" "$digest"
      fi
      case "$code" in 0) exit 0 ;; 2) ;; *) exit "$code" ;; esac
    # Refuses, with exit 3 and nothing sent, while approvals are missing: commit them, and this job runs again.
    - |
      approvals=()
      if [ -f "approvals/$digest.approval" ]; then
        approvals=(--approval "approvals/$digest.approval")
      fi
      code=0
      syncengine apply "$plan" "${approvals[@]}" --lock-timeout 300 --deadline 2700 \
        --junit reports/apply.xml > reports/apply.txt || code=$?
      cat reports/apply.txt
      exit "$code"
  # Views with masked values and the JUnit file; never the plan, which holds lead data.
  artifacts:
    when: always
    paths: [reports/]
    reports:
      junit: reports/apply.xml
    expire_in: 30 days
"""
