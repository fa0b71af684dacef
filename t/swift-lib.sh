# Swift with s3api, as small as it can be: one account, container and object server each, and a proxy.  Sourced behind
# real-server-lib.sh.

# start_swift: it listens on $swift.
start_swift () {
	set -- $(free_ports 5) && swift=$4 && mkdir -p "$TRASH/server/swift/node/d1" && cd "$TRASH/server/swift" &&
		write_swift_server account $1 && write_swift_server container $2 && write_swift_server object $3 && write_swift_proxy $4 $5 &&
		make_swift_ring account $1 && make_swift_ring container $2 && make_swift_ring object $3 || return 1
	memcached_user= && { ! test_have_prereq ROOT || memcached_user='-u root'; }
	serve memcached memcached $memcached_user -l 127.0.0.1 -p $5 -m 16
	for name in account container object proxy
	do
		serve swift_$name "$(command -v swift-$name-server)" "$TRASH/server/swift/$name.conf" || return 1
	done
	cd "$TRASH" && until_true swift_account "listens $1" && until_true swift_container "listens $2" && until_true swift_object "listens $3" && until_true swift_proxy "listens $4"
}

# write_swift_server NAME PORT
write_swift_server () {
	cat >$1.conf <<-CONF
	[DEFAULT]
	bind_ip = 127.0.0.1
	bind_port = $2
	workers = 0
	mount_check = false
	devices = $TRASH/server/swift/node
	swift_dir = $TRASH/server/swift
	recon_cache_path = $TRASH/server/swift
	user = $(id -un)
	log_level = ERROR
	[pipeline:main]
	pipeline = $1-server
	[app:$1-server]
	use = egg:swift#$1
	CONF
}

# write_swift_proxy PORT PORT-OF-MEMCACHED
write_swift_proxy () {
	cat >proxy.conf <<-CONF
	[DEFAULT]
	bind_ip = 127.0.0.1
	bind_port = $1
	workers = 0
	swift_dir = $TRASH/server/swift
	user = $(id -un)
	log_level = ERROR
	[pipeline:main]
	pipeline = catch_errors gatekeeper cache listing_formats bulk s3api tempauth slo dlo copy proxy-server
	[app:proxy-server]
	use = egg:swift#proxy
	allow_account_management = true
	account_autocreate = true
	[filter:tempauth]
	use = egg:swift#tempauth
	user_test_tester = secret .admin
	[filter:s3api]
	use = egg:swift#s3api
	location = us-east-1
	[filter:cache]
	use = egg:swift#memcache
	memcache_servers = 127.0.0.1:$2
	[filter:catch_errors]
	use = egg:swift#catch_errors
	[filter:gatekeeper]
	use = egg:swift#gatekeeper
	[filter:listing_formats]
	use = egg:swift#listing_formats
	[filter:bulk]
	use = egg:swift#bulk
	[filter:slo]
	use = egg:swift#slo
	[filter:dlo]
	use = egg:swift#dlo
	[filter:copy]
	use = egg:swift#copy
	CONF
}

# make_swift_ring NAME PORT
make_swift_ring () {
	swift-ring-builder $1.builder create 2 1 0 && swift-ring-builder $1.builder add r1z1-127.0.0.1:$2/d1 1 &&
		swift-ring-builder $1.builder rebalance
}
