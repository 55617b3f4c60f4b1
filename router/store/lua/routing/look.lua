-- uses common matching transitions handing due
-- Records of conversations as they are now.
--
-- ARGV[3..] conversations
-- value     for each its record, or false
local records = {}
for i = 3, #ARGV do
  local talk = read(ARGV[i])
  records[i - 2] = talk and view(talk) or false
end
return answer(records)
