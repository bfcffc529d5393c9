#!/bin/busybox sh
# Answers with its version, a setting (from a ConfigMap, as a variable) and whether its secrets are there; never with one.
folder=${SECRETS_FOLDER:-/run/secrets/app}
secret=absent
for file in "$folder"/*; do
    if [ -r "$file" ]; then secret=mounted; fi
done
data=absent
if [ -d "${DATA_FOLDER:-/data}" ]; then data=mounted; fi
printf 'Content-Type: text/plain\r\n\r\n'
printf 'version: %s\ngreeting: %s\nsecret: %s\ndata: %s\nhost: %s\n' \
    "${VERSION:-unknown}" "${GREETING:-none}" "$secret" "$data" "$(/bin/busybox hostname)"
