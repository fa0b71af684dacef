# Ceph with its gateway for S3, as small as it can be: one monitor, one store in memory, one gateway.  Sourced
# behind real-server-lib.sh.

# start_rgw: it listens on $port, for the user of the variables AWS_... that are set here.
start_rgw () {
	ceph=$TRASH/server/ceph
	mkdir -p "$ceph/mon" "$ceph/osd" && set -- $(free_ports 3) && port=$3 &&
		write_ceph_conf $1 $2 $3 && CEPH_CONF=$ceph/conf && export CEPH_CONF &&
		make_ceph_keys && monmaptool --create --fsid $(fsid) \
			--addv a "[v2:127.0.0.1:$1,v1:127.0.0.1:$2]" "$ceph/monmap" &&
		ceph-mon --mkfs -i a --monmap "$ceph/monmap" --keyring "$ceph/keyring" &&
		serve mon ceph-mon -f -i a && timeout 60 ceph osd new $(fsid) &&
		ceph-osd -i 0 --mkfs --osd-uuid $(fsid) && serve osd ceph-osd -f -i 0 &&
		serve rgw radosgw -f -n client.rgw &&
		AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-east-1 \
		AWS_ACCESS_KEY_ID=AKIDTEST AWS_SECRET_ACCESS_KEY=secret/of+the+test &&
		export AWS_ENDPOINT_URL AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY &&
		timeout 60 radosgw-admin user create --uid=test --display-name=test \
			--access-key=$AWS_ACCESS_KEY_ID --secret-key=$AWS_SECRET_ACCESS_KEY >"$ceph/user" &&
		until_true rgw "listens $port"
}

stop_rgw () {
	end_server rgw && end_server osd && end_server mon
}

# One will do for all that wants one.
fsid () {
	echo 7a51b1c6-6f3e-4e4f-9d0a-1f0f36b3a1d2
}

# The names of the sections are Ceph's.  With one copy of all, in one group of a pool; changes of the monitor are
# not collected for a second, since each of the gateway's pools would wait for that.
write_ceph_conf () {
	cat >"$ceph/conf" <<-CONF
	[global]
	fsid = $(fsid)
	mon initial members = a
	mon host = [v2:127.0.0.1:$1,v1:127.0.0.1:$2]
	mon data = $ceph/mon
	mon data avail warn = 1
	mon data avail crit = 1
	mon allow pool size one = true
	paxos propose interval = 0.05
	paxos min wait = 0.01
	public network = 127.0.0.0/8
	public addr = 127.0.0.1
	cluster addr = 127.0.0.1
	auth cluster required = cephx
	auth service required = cephx
	auth client required = cephx
	keyring = $ceph/keyring
	run dir = $ceph
	admin socket =
	log file = $ceph/\$name.log
	osd data = $ceph/osd
	osd objectstore = memstore
	memstore device bytes = 2147483648
	osd pool default size = 1
	osd pool default min size = 1
	osd pool default pg num = 1
	osd pool default pg autoscale mode = off
	osd crush chooseleaf type = 0
	[client.rgw]
	rgw frontends = beast endpoint=127.0.0.1:$3
	rgw thread pool size = 16
	rgw enable gc threads = false
	rgw enable lc threads = false
	rgw enable quota threads = false
	rgw run sync thread = false
	rgw dynamic resharding = false
	CONF
}

make_ceph_keys () {
	ceph-authtool -C "$ceph/keyring" --gen-key -n mon. --cap mon 'allow *' &&
		ceph-authtool "$ceph/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' &&
		ceph-authtool "$ceph/keyring" --gen-key -n client.rgw --cap mon 'allow rw' --cap osd 'allow rwx' &&
		ceph-authtool "$ceph/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
}
