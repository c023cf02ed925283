#!/bin/bash
# Of the lab, not of the product: leaves as much of the disk free as the kernel's command line says (lab.free_mb).
read -ra words </proc/cmdline
for word in "${words[@]}"; do
  case $word in
  lab.free_mb=*)
    free=$(df --output=avail -B1M / | tail -1)
    fallocate --length "$((free - ${word#*=}))MiB" /var/lab-filler
    ;;
  esac
done
