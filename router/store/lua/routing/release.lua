-- uses common matching transitions handing due
-- Give an invite's hold back. Harmless if there is none.
--
-- ARGV[3] decision
drop_hold(ARGV[3])
return answer(true)
