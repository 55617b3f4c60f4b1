-- Append records to a journal: all of them or none.
-- KEYS[1] j:{n}
-- ARGV[1] entries kept, about   ARGV[2] source, then for each record: number, kind, moment, msgpack
-- Reply the number of records.
for place = 3, #ARGV, 4 do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*',
    's', ARGV[2], 'n', ARGV[place], 'k', ARGV[place + 1], 't', ARGV[place + 2], 'r', ARGV[place + 3])
end
return (#ARGV - 2) / 4
