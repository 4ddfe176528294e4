/* SPDX-License-Identifier: MIT */
/*
 * ISA strings, as device trees hold them: RISC-V Unprivileged ISA 20191213, chapter 27. Reading is
 * lenient: case, versions and unknown names do not matter. Writing is canonical.
 */
#include "isa.h"

#include <hv/bits.h>
#include <hv/text.h>

struct name {
	const char *name;
	uint64_t exts;
};

#define LETTER(c) HV_BIT((c) - 'a')

/* In canonical order. */
static const char letters[] = "imafdcvh";
#define LETTERS                                                                                    \
	(LETTER('i') | LETTER('m') | LETTER('a') | LETTER('f') | LETTER('d') | LETTER('c') |       \
		LETTER('v') | LETTER('h'))

/* In canonical order: by the letter after the z, that of the class, then by the alphabet. */
static const struct name names[] = {
	{"zicbom", HV_BIT(RV64_EXT_ZICBOM)},
	{"zicbop", HV_BIT(RV64_EXT_ZICBOP)},
	{"zicboz", HV_BIT(RV64_EXT_ZICBOZ)},
	{"zicntr", HV_BIT(RV64_EXT_ZICNTR)},
	{"zicond", HV_BIT(RV64_EXT_ZICOND)},
	{"zicsr", HV_BIT(RV64_EXT_ZICSR)},
	{"zifencei", HV_BIT(RV64_EXT_ZIFENCEI)},
	{"zihintpause", HV_BIT(RV64_EXT_ZIHINTPAUSE)},
	{"zawrs", HV_BIT(RV64_EXT_ZAWRS)},
	{"zfa", HV_BIT(RV64_EXT_ZFA)},
	{"zfh", HV_BIT(RV64_EXT_ZFH)},
	{"zfhmin", HV_BIT(RV64_EXT_ZFHMIN)},
	{"zba", HV_BIT(RV64_EXT_ZBA)},
	{"zbb", HV_BIT(RV64_EXT_ZBB)},
	{"zbc", HV_BIT(RV64_EXT_ZBC)},
	{"zbkb", HV_BIT(RV64_EXT_ZBKB)},
	{"zbkc", HV_BIT(RV64_EXT_ZBKC)},
	{"zbkx", HV_BIT(RV64_EXT_ZBKX)},
	{"zbs", HV_BIT(RV64_EXT_ZBS)},
	{"zknd", HV_BIT(RV64_EXT_ZKND)},
	{"zkne", HV_BIT(RV64_EXT_ZKNE)},
	{"zknh", HV_BIT(RV64_EXT_ZKNH)},
	{"zksed", HV_BIT(RV64_EXT_ZKSED)},
	{"zksh", HV_BIT(RV64_EXT_ZKSH)},
	{"zkt", HV_BIT(RV64_EXT_ZKT)},
	{"sstc", HV_BIT(RV64_EXT_SSTC)},
	{"svinval", HV_BIT(RV64_EXT_SVINVAL)},
	{"svnapot", HV_BIT(RV64_EXT_SVNAPOT)},
	{"svpbmt", HV_BIT(RV64_EXT_SVPBMT)},
};

_Static_assert(HV_ARRAY_COUNT(names) == RV64_EXTS - RV64_EXT_ZICSR, "each has a name");

/* What is left to read. */
struct input {
	const char *at;
	size_t left;
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* How many digits there are. */
static size_t digits(struct input in)
{
	size_t n = 0;

	while (n < in.left && in.at[n] >= '0' && in.at[n] <= '9') {
		n++;
	}
	return n;
}

static struct input after(struct input in, size_t n)
{
	return (struct input){in.at + n, in.left - n};
}

/* Characters of a version like 2 or 2p1. A p without a digit behind it is the extension P. */
static size_t version(struct input in)
{
	size_t major = digits(in), minor;

	if (major == 0 || major == in.left || lower(in.at[major]) != 'p') {
		return major;
	}
	minor = digits(after(in, major + 1));
	return minor ? major + 1 + minor : major;
}

/* Characters of `name` when the input starts with it; else 0. */
static size_t match(struct input in, const char *name)
{
	size_t n = 0;

	while (name[n] && n < in.left && lower(in.at[n]) == name[n]) {
		n++;
	}
	return name[n] ? 0 : n;
}

/* What one letter stands for; G and B are short for others. */
static uint64_t exts_of_letter(char c)
{
	switch (c) {
	case 'b': return HV_BIT(RV64_EXT_ZBA) | HV_BIT(RV64_EXT_ZBB) | HV_BIT(RV64_EXT_ZBS);
	case 'g':
		return LETTER('i') | LETTER('m') | LETTER('a') | LETTER('f') | LETTER('d') |
		       HV_BIT(RV64_EXT_ZICSR) | HV_BIT(RV64_EXT_ZIFENCEI);
	default: return c >= 'a' && c <= 'z' ? LETTER(c) & LETTERS : 0;
	}
}

/* `in` is all of one name that has several letters. Most differ in their second. */
static uint64_t exts_of(struct input in)
{
	char second = in.left > 1 ? lower(in.at[1]) : '\0';

	for (size_t i = 0; i < HV_ARRAY_COUNT(names); i++) {
		size_t n = names[i].name[1] == second ? match(in, names[i].name) : 0;

		if (n && version(after(in, n)) == in.left - n) {
			return names[i].exts;
		}
	}
	return 0;
}

/* Takes one name with several letters: it goes on to an underscore. */
static size_t take_name(struct input in, uint64_t *exts)
{
	size_t n = 0;

	while (n < in.left && in.at[n] != '_') {
		n++;
	}
	*exts |= exts_of((struct input){in.at, n});
	return n;
}

static size_t take_letter(struct input in, uint64_t *exts)
{
	*exts |= exts_of_letter(lower(in.at[0]));
	return 1 + version(after(in, 1));
}

static size_t take(struct input in, uint64_t *exts)
{
	switch (lower(in.at[0])) {
	case 's':
	case 'x':
	case 'z': return take_name(in, exts);
	default: return take_letter(in, exts);
	}
}

/* All up to a NUL, if there is one. */
static struct input whole(const char *text, size_t size)
{
	struct input in = {text, 0};

	while (in.left < size && text[in.left]) {
		in.left++;
	}
	return in;
}

uint64_t rv64_isa_parse(const char *isa, size_t size)
{
	struct input in = whole(isa, size);
	uint64_t exts = 0;

	in = after(in, match(in, "rv64"));
	if (in.at == isa) {
		return 0;
	}
	while (in.left > 0) {
		in = after(in, take(in, &exts));
	}
	return exts;
}

size_t rv64_isa_write(uint64_t exts, char isa[RV64_ISA_MAX])
{
	struct hv_text text = {.at = isa, .size = RV64_ISA_MAX - 1, .used = 0};

	hv_text_str(&text, "rv64");
	for (const char *c = letters; *c; c++) {
		if (exts & LETTER(*c)) {
			hv_text_char(&text, *c);
		}
	}
	for (size_t i = 0; i < HV_ARRAY_COUNT(names); i++) {
		if (exts & names[i].exts) {
			hv_text_char(&text, '_');
			hv_text_str(&text, names[i].name);
		}
	}
	isa[text.used] = '\0';
	return text.used;
}

uint64_t rv64_isa_ext(const char *name, size_t size)
{
	struct input in = {name, size};
	uint64_t exts = 0;

	return size > 0 && take(in, &exts) == size ? exts : 0;
}

/*
 * What the hart keeps of a name, which is never longer: the name, or of a G that it has only in
 * part the I. (There may be no room for what else is left of it.)
 */
static struct input kept(struct input name, uint64_t exts, uint64_t have)
{
	if (exts && !(exts & ~have)) {
		return name;
	}
	return (struct input){"i", lower(name.at[0]) == 'g' && exts & have & LETTER('i') ? 1 : 0};
}

size_t rv64_isa_narrow(char *isa, size_t size, uint64_t have)
{
	struct input in = whole(isa, size);
	size_t used = match(in, "rv64");
	bool gap = false; /* an underscore that nothing has followed yet */

	in = used ? after(in, used) : (struct input){isa, 0};
	while (in.left > 0) {
		uint64_t exts = 0;
		size_t n = take(in, &exts);
		struct input keep = kept((struct input){in.at, n}, exts, have);

		if (keep.left && gap) {
			isa[used++] = '_';
		}
		__builtin_memmove(isa + used, keep.at, keep.left);
		used += keep.left;
		gap = keep.left ? false : gap || in.at[0] == '_';
		in = after(in, n);
	}
	return used;
}
