/** What a virtual machine finds in its network: QEMU's user networking, placed where metadata addresses are. */
export const GUEST = {
  mac: '52:54:00:12:34:56',
  network: '169.254.0.0/16',
  /** The first that QEMU's DHCP gives; forwarded ports lead there. */
  address: '169.254.2.15',
  netmask: '255.255.0.0',
  gateway: '169.254.2.2',
  nameserver: '169.254.2.3',
  metadata: '169.254.169.254',
  /** Stands for every host of the internet that the lab plays; see tools/boot-lab/disk/hosts. */
  lab: '169.254.2.10',
};
