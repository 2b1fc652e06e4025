#!/usr/bin/env bash
# A curl call for each row: curl_loop.sh URL CSV
set -euo pipefail
applied=0
{
  read -r _header
  while IFS=, read -r lead postcode firstname c1; do
    body="{\"leads\":[{\"id\":\"$lead\",\"update\":{\"postcode\":\"$postcode\",\"firstname\":\"$firstname\",\"c1\":\"${c1%$'\r'}\"}}]}"
    curl -sS -f -o /dev/null -X PUT -H 'X_KEY: key' -H 'Content-Type: application/json' --data "$body" "$1/restapi/v1.3/leads"
    applied=$((applied + 1))
  done
} <"$2"
printf '{"applied": %d}\n' "$applied"
