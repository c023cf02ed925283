#!/bin/bash
# Of the lab, not of the product: leaves as much of the disk free as the kernel's command line says (lab.free_mb),
# counted with the blocks that are kept for root, since Docker runs as root.
read -ra words </proc/cmdline
for word in "${words[@]}"; do
  case $word in
  lab.free_mb=*)
    read -r blocks size <<<"$(stat --file-system --format='%f %S' /)"
    fallocate --length "$((blocks * size / 1048576 - ${word#*=}))MiB" /var/lab-filler
    ;;
  esac
done
