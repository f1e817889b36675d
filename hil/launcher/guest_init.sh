#!/bin/sh
# First process of the virtual machine, in its initial RAM disk: put the root together and go there.
# root = overlay of a tmpfs (what is written), the layer (kernel modules, tools), the host's own / (both read-only over 9p).
fail() { echo "hil: $*"; poweroff -f; }

mount -t proc proc /proc && mount -t devtmpfs dev /dev || fail "no /proc or /dev"
while read -r module; do insmod "/modules/$module" || fail "cannot load $module"; done < /modules/order

mkdir -p /host /layer /write /root
options=trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro
mount -t 9p -o $options host /host || fail "cannot mount the host's root"
mount -t 9p -o $options layer /layer || fail "cannot mount the layer"
mount -t tmpfs -o size=60% write /write && mkdir /write/upper /write/work
mount -t overlay -o lowerdir=/layer:/host,upperdir=/write/upper,workdir=/write/work overlay /root || fail "cannot put the root together"

# Directories of the layer belong to whoever unpacked it; the root's own belong to root.
find /layer -path /layer/usr/lib/modules -prune -o -type d ! -user 0 -print | while read -r directory; do
    chown 0:0 "/root${directory#/layer}"
done
# systemd's tools take the host's mark of a container for theirs.
rm -f /root/.dockerenv
mount -t tmpfs -o mode=755 run /root/run
mkdir -p /root/run/hil/write
mount --move /write /root/run/hil/write
mount --move /dev /root/dev
umount /proc
mkdir -p /root/var/cache/hil && for library in /core/*; do [ -f "$library" ] && cp "$library" /root/var/cache/hil/; done
cp /bin/busybox /guest_main.sh /job.sh /command.sh /root/run/hil/
exec switch_root /root /run/hil/busybox sh /run/hil/guest_main.sh
