#!/bin/bash
# Of the lab, not of the product: keeps the command line of every process that it sees, to look for secrets in them.
mkdir -p /run/lab
while :; do
  for file in /proc/[0-9]*/cmdline; do
    words=
    while IFS= read -r -d '' word; do words+="$word "; done 2>/dev/null <"$file"
    if [ -n "$words" ]; then printf '%s\n' "$words"; fi
  done >>/run/lab/processes 2>/dev/null
  date +%s >>/run/lab/samples
  sleep 0.5
done
