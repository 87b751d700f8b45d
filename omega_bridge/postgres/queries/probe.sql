-- Does this database hold everything, by the same list as last time? One statement, one round trip.
SELECT {version}, w.* FROM omega_bridge.watch w
