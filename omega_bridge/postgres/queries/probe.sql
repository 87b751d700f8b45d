-- Does this database hold everything, by the same list as last time? One statement, one round trip.
SELECT s.digest, s.revision, s.token, ({token}), s.catalog_digest, s.data, s.standing, {version}, s.names, s.steps
FROM omega_bridge.state s
