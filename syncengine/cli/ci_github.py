"""The workflow that `init --ci github` writes."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.cli.init_templates import Starter, requirement_lines
from syncengine.cli.installation import Installed

WORKFLOW = ".github/workflows/syncengine.yml"


def github(installed: Installed) -> Iterator[Starter]:
    """One workflow: checks on pull requests, apply on the main branch. It installs what is `installed` here."""
    yield Starter(WORKFLOW, _WORKFLOW.replace("@SYNCENGINE@", requirement_lines(installed)))


_WORKFLOW = r"""# Changesets on GitHub: checked on pull requests, applied on the main branch.
# Written by `syncengine init --ci github`; docs/ci.md of syncengine explains every part. To be set up once:
#   - an environment "leadbyte" that only the branch main may use, with the secrets LEADBYTE_API_KEY,
#     SYNCENGINE_LEDGER_URL and SYNCENGINE_LEDGER_KEY (the content of .syncengine/ledger.key)
#   - in syncengine.yaml: `url: env:SYNCENGINE_LEDGER_URL` under `ledger`
#   - a rule that protects the branch main: reviews for everything, this file included
name: syncengine

on:
  pull_request:
  push:
    branches: [main]
  workflow_dispatch:

# No job has any right that it does not name itself.
permissions: {}

env:
@SYNCENGINE@  CHANGESETS: changesets
  DATA: data

defaults:
  run:
    shell: bash

jobs:
  # What strangers may start: no secret, no right but to read, no connection to the ledger or the service.
  check:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    timeout-minutes: 15
    permissions:
      contents: read
    steps:
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"

      # Before the checkout, so that no file of the pull request can take the place of a module.
      - name: Install syncengine
        run: pip install --quiet "$SYNCENGINE"

      # The merge of the pull request into its target: HEAD^1 is the target branch. The whole history, because
      # the plan names the authors of every changeset.
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
          persist-credentials: false

      # A proposal to change the rules is checked, and pointed out, but does not judge itself.
      - name: Look at proposed configuration
        run: |
          if ! git diff --quiet HEAD^1 HEAD -- syncengine.yaml .syncengine schemas .github; then
            echo "::warning title=syncengine::This pull request changes configuration, policy, signers, schemas or" \
              "workflows. Its changesets are judged by those of the target branch; review that change by itself."
            syncengine validate "$CHANGESETS" --format github
          fi

      # From here on the files of the target branch, but for the proposed changesets and data.
      - name: Take configuration, policy and signers from the target branch
        run: |
          git restore --source=HEAD^1 --worktree -- .
          for folder in "$CHANGESETS" "$DATA"; do
            rm -rf -- "./$folder"
            if git cat-file -e "HEAD:$folder" 2>/dev/null; then
              git restore --source=HEAD --worktree -- "$folder"
            fi
          done
          mkdir -p "$RUNNER_TEMP/check"
          printf 'No changeset is added or changed.\n' > "$RUNNER_TEMP/check/plan.md"

      - name: Validate
        env:
          SYNCENGINE_CONFIG: ${{ github.workspace }}/syncengine.yaml
        run: |
          syncengine validate "$CHANGESETS" --format sarif > "$RUNNER_TEMP/check/validate.sarif" || true
          syncengine validate "$CHANGESETS" --format github

      # Only what the pull request changes: without the ledger, everything in the repository would count as never
      # applied. A changeset is planned, too, when a data file that it names has changed.
      - name: Plan
        env:
          SYNCENGINE_CONFIG: ${{ github.workspace }}/syncengine.yaml
        run: |
          report="$RUNNER_TEMP/check/plan.md"
          list="$RUNNER_TEMP/changed"
          git diff --name-only -z --diff-filter=d HEAD^1 HEAD -- "$CHANGESETS/*.yaml" "$CHANGESETS/*.yml" > "$list"
          git diff --name-only -z --diff-filter=d HEAD^1 HEAD -- "$DATA" |
            while IFS= read -r -d '' file; do
              grep -rlZF --include='*.yaml' --include='*.yml' -e "${file##*/}" -- "$CHANGESETS" >> "$list" || true
            done
          mapfile -d '' -t changed < <(sort -zu "$list")
          code=0
          if [ "${#changed[@]}" -gt 0 ]; then
            syncengine plan --offline --format markdown -- "${changed[@]}" > "$report" || code=$?
          fi
          cat "$report" >> "$GITHUB_STEP_SUMMARY"
          exit "$code"

      # Masked views only; the plan itself holds lead data and is not even written.
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: syncengine-check
          path: ${{ runner.temp }}/check
          if-no-files-found: ignore

  # The rights to comment lie here, where nothing of the pull request is run. Forks have no such rights: there, the
  # plan is in the summary of the run.
  report:
    needs: check
    if: >-
      always() && github.event_name == 'pull_request'
      && github.event.pull_request.head.repo.full_name == github.repository
    runs-on: ubuntu-latest
    timeout-minutes: 10
    permissions:
      actions: read
      contents: read
      pull-requests: write
      security-events: write
    steps:
      - uses: actions/download-artifact@v4
        with:
          name: syncengine-check
          path: check

      - name: Comment
        env:
          GH_TOKEN: ${{ github.token }}
          NUMBER: ${{ github.event.pull_request.number }}
        run: |
          gh pr comment "$NUMBER" --repo "$GITHUB_REPOSITORY" --edit-last --create-if-none --body-file check/plan.md

      # Needs code scanning, which private repositories may not have: then only the annotations remain.
      - uses: github/codeql-action/upload-sarif@v3
        continue-on-error: true
        with:
          sarif_file: check/validate.sarif
          category: syncengine

  # What was merged: planned against the shared ledger, applied where the policy's approvals are there.
  apply:
    if: github.event_name != 'pull_request' && github.ref == 'refs/heads/main'
    runs-on: ubuntu-latest
    timeout-minutes: 60
    environment: leadbyte
    # One at a time. The ledger's lease would see to it anyway, but waiting here costs nothing.
    concurrency:
      group: syncengine-apply
      cancel-in-progress: false
    permissions:
      contents: read
    steps:
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"

      - name: Install syncengine
        run: pip install --quiet "$SYNCENGINE"

      # The whole history: who wrote a changeset may not approve it.
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
          persist-credentials: false

      # Without its key the ledger cannot tell which values were applied.
      - name: Put the ledger's key in place
        env:
          LEDGER_KEY: ${{ secrets.SYNCENGINE_LEDGER_KEY }}
        run: |
          mkdir -p .syncengine "$RUNNER_TEMP/reports"
          (umask 077 && printf '%s\n' "$LEDGER_KEY" > .syncengine/ledger.key)

      # Exit 0: nothing to send; 2: something to send; 3: blocked; 1: wrong input.
      - name: Plan
        id: plan
        env:
          SYNCENGINE_LEDGER_URL: ${{ secrets.SYNCENGINE_LEDGER_URL }}
          LEADBYTE_API_KEY: ${{ secrets.LEADBYTE_API_KEY }}   # used where syncengine.yaml allows reads, else not
        run: |
          plan="$RUNNER_TEMP/release.plan"
          reports="$RUNNER_TEMP/reports"
          code=0
          syncengine plan "$CHANGESETS" --out "$plan" --detailed-exitcode --format markdown \
            > "$reports/plan.md" || code=$?
          cat "$reports/plan.md" >> "$GITHUB_STEP_SUMMARY"
          echo "code=$code" >> "$GITHUB_OUTPUT"
          if [ -f "$plan" ]; then
            syncengine show "$plan" --format html > "$reports/plan.html"
            syncengine show "$plan" --format json > "$reports/plan.json"
            digest=$(python -I -c 'import json, sys; print(json.load(sys.stdin)["plan"])' < "$reports/plan.json")
            echo "digest=$digest" >> "$GITHUB_OUTPUT"
            printf '\nPlan `%s`. Its approvals belong into `approvals/%s.approval`.\n' "$digest" "$digest" \
              >> "$GITHUB_STEP_SUMMARY"
          fi
          case "$code" in 0 | 2) ;; *) exit "$code" ;; esac

      # Refuses, with exit 3 and nothing sent, while approvals are missing: commit them, and this job runs again.
      - name: Apply
        if: steps.plan.outputs.code == '2'
        env:
          SYNCENGINE_LEDGER_URL: ${{ secrets.SYNCENGINE_LEDGER_URL }}
          LEADBYTE_API_KEY: ${{ secrets.LEADBYTE_API_KEY }}
          DIGEST: ${{ steps.plan.outputs.digest }}
        run: |
          approvals=()
          if [ -f "approvals/$DIGEST.approval" ]; then
            approvals=(--approval "approvals/$DIGEST.approval")
          fi
          code=0
          syncengine apply "$RUNNER_TEMP/release.plan" "${approvals[@]}" --lock-timeout 300 --deadline 2700 \
            --junit "$RUNNER_TEMP/reports/apply.xml" > "$RUNNER_TEMP/reports/apply.txt" || code=$?
          # Marked and escaped: what the service said must be neither a command to the runner nor Markdown.
          sed 's/^/| /' "$RUNNER_TEMP/reports/apply.txt"
          { echo '<pre>'; sed 's/&/\&amp;/g; s/</\&lt;/g' "$RUNNER_TEMP/reports/apply.txt"; echo '</pre>'; } \
            >> "$GITHUB_STEP_SUMMARY"
          exit "$code"

      # Views with masked values and the JUnit file; never release.plan, which holds lead data.
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: syncengine-reports
          path: ${{ runner.temp }}/reports
          if-no-files-found: ignore
"""
