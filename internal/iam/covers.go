package iam

// unnamed stands for a character that the covering pattern does not name: only ? and * match it.
const unnamed = -1

// Covers says whether every string that matches b matches a, too.
//
// It reads b as if it were a string, and follows how far a matches at worst. For a ? in b, the worst character is one that a does not
// name. For a * in b, the worst string is an empty one or an endless one of such characters, and it is always clear which: see worst.
func Covers(a, b string) bool { return read(a).covers(read(b)) }

// A cover is a pattern, and how far it matches the text that was read so far. The pattern is cut at its gaps, the longest runs of
// wildcards that have a *. A gap takes at least as many characters as it has ?, in any order. So a part between two gaps begins and
// ends with a character, the first part ends with one unless it is empty, and the last part begins with one unless it is empty.
type cover struct {
	parts [][]rune // One more than gaps.
	gaps  []int    // The least number of characters of each.
	// part that is being matched. Later is always better: the gap before it can take all that earlier ones could.
	part int
	// taken by the gap before the part, up to its least number.
	taken int
	// matched lengths of the part, by the text that was read last. Always with 0 once the gap has its least number.
	matched []bool
}

// all says whether every string that matches the other pattern matches this one, too.
func (c *cover) all(other []rune) bool {
	for _, r := range other {
		switch r {
		case anyString:
			if !c.worst() {
				return false
			}
		case anyRune:
			c.step(unnamed)
		default:
			c.step(r)
		}
	}
	return c.done()
}

func newCover(p []rune) *cover {
	c := &cover{parts: [][]rune{nil}}
	for i := 0; i < len(p); {
		end, star, least := i, false, 0
		for ; end < len(p) && (p[end] == anyString || p[end] == anyRune); end++ {
			if p[end] == anyString {
				star = true
			} else {
				least++
			}
		}
		if star {
			c.gaps, c.parts = append(c.gaps, least), append(c.parts, nil)
		} else {
			end = max(end, i+1)
			last := &c.parts[len(c.parts)-1]
			*last = append(*last, p[i:end]...)
		}
		i = end
	}
	c.enter(0)
	return c
}

// enter moves to a part.
func (c *cover) enter(part int) {
	c.part, c.taken = part, 0
	c.matched = make([]bool, len(c.parts[part])+1)
	c.matched[0] = c.least() == 0
	c.leave()
}

// leave moves on from a matched part: the gap behind it is then the best place to be. The last part has to match at the end.
func (c *cover) leave() {
	if c.part < len(c.gaps) && c.matched[len(c.parts[c.part])] {
		c.enter(c.part + 1)
	}
}

// least is the least number of characters of the gap before the part.
func (c *cover) least() int {
	if c.part == 0 {
		return 0
	}
	return c.gaps[c.part-1]
}

// step reads a character.
func (c *cover) step(r rune) {
	part := c.parts[c.part]
	for n := len(part); n > 0; n-- {
		c.matched[n] = c.matched[n-1] && (part[n-1] == anyRune || part[n-1] == r)
	}
	c.matched[0] = false
	if c.part > 0 {
		c.taken = min(c.taken+1, c.least())
		c.matched[0] = c.taken == c.least()
	}
	c.leave()
}

// worst reads the worst possible string, and says whether a match is still possible. Before the first gap, an endless string cannot
// match. In a gap that does not have its least number yet, each character helps, so an empty string is the worst, and no match of the
// part has begun. After that an endless string is the worst: the gap takes it, and it ends all matches of the part that have begun,
// because a part that is followed by a gap ends with a character, and the last one cannot be followed by anything.
func (c *cover) worst() bool {
	if c.part == 0 {
		return false
	}
	clear(c.matched[1:])
	return true
}

// done says whether the whole pattern matches: only the last part stays current once it is matched.
func (c *cover) done() bool {
	return c.matched[len(c.parts[c.part])]
}
