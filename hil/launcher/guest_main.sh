#!/bin/sh
# First process of the virtual machine once its root is there: start what a run needs, run the command, send back what it wrote.
# job.sh sets: ports, artifacts, returned, agent, modules. Lines to and from the host on port 1: see protocol.py.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
hil=/run/hil
b=$hil/busybox
. $hil/job.sh

$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
tell() { echo "$*" >&3; }
uptime() { read -r up _ < /proc/uptime; }

# The ports appear a moment after their driver has been loaded.
tries=0
until [ -c /dev/vport${ports}p4 ] || [ $tries -gt 500 ]; do $b usleep 10000; tries=$((tries + 1)); done
exec 3<>/dev/vport${ports}p1 || { echo "hil: no virtio ports"; $b poweroff -f; }
uptime; tell "phase shell $up"

# The host's orders. End of file: the host is gone.
orders() {
    while read -r verb argument <&3; do
        case $verb in
        group) $b kill -s "$argument" -- "-$($b cat $hil/pid)" ;;
        alone) $b kill -s "$argument" "$($b cat $hil/pid)" ;;
        esac
    done
    $b poweroff -f
}
orders &

/usr/sbin/modprobe -a -q $modules &
drivers=$!
$b mount -t debugfs debugfs /sys/kernel/debug

$b mkdir -p /dev/pts /dev/shm /run/lock /run/udev
$b mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
$b mount -t tmpfs -o mode=1777 shm /dev/shm
/usr/lib/systemd/systemd-udevd --daemon &
udevd=$!
$b ip link set lo up
$b hostname hil
[ -n "$artifacts" ] && { $b mkdir -p "$artifacts"
    $b mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none,access=any artifacts "$artifacts"; }

if [ -n "$agent" ]; then
    $b mkdir -p /etc/hil && $b rm -f /etc/hil/allow.toml && echo "virtual = true" > /etc/hil/allow.toml
    eval "$agent" > /dev/console 2>&1 3>&- &
fi

$b mkfifo $hil/out $hil/err
$b cat $hil/out > /dev/vport${ports}p2 & out=$!
$b cat $hil/err > /dev/vport${ports}p3 & err=$!
# udevd returns when it listens, so nothing that the command plugs in can be missed.
wait $udevd $drivers
uptime; tell "phase start $up"
$b setsid $b sh $hil/command.sh
status=$?
uptime; tell "phase end $up"

# What is still in the pipes goes out, however slowly it is read. A process left behind that holds them open ends after 2 s.
free() {
    for held in /proc/[0-9]*/fd/*; do
        [ "$held" -ef $hil/out ] || [ "$held" -ef $hil/err ] || continue
        holder=${held#/proc/}
        holder=${holder%%/*}
        [ "$holder" = $out ] || [ "$holder" = $err ] || $b kill -s KILL "$holder" 2>/dev/null
    done
}
while $b sleep 2; do free; done &
freeing=$!
wait $out $err
$b kill $freeing
tell "exit $status"

cd $hil/write/upper
eval "set -- $returned"
for root; do
    [ -e "./$root" ] || [ -L "./$root" ] && $b find "./$root"
done | $b cpio -o -H newc 2>/dev/null > /dev/vport${ports}p4
tell "done"
$b sleep 60
$b poweroff -f
