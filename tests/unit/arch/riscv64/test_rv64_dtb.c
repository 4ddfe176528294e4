/* SPDX-License-Identifier: MIT */
/* What device trees say of harts, narrowed to what vCPUs have; libfdt reads it back. */
#include <unit.h>

#include <arch/riscv64/isa.h>
#include <hv/bits.h>
#include <libfdt.h>
#include <stdlib.h>

static _Alignas(8) uint8_t buf[4096], before[4096];
static struct hv_load_error error;

#define EXTS(isa) rv64_isa_parse(isa, sizeof(isa))

static struct rv64_caps caps_of(uint64_t exts, uint8_t satp_levels)
{
	return (struct rv64_caps){.exts = exts, .satp_levels = satp_levels, .timebase = 24000000};
}

/* One hart, of which a test tells what it likes. */
static void begin(void)
{
	int cpus, cpu;

	memset(buf, 0, sizeof(buf));
	assert_int_equal(fdt_create_empty_tree(buf, sizeof(buf)), 0);
	cpus = fdt_add_subnode(buf, 0, "cpus");
	assert_int_equal(fdt_setprop_u32(buf, cpus, "timebase-frequency", 10000000), 0);
	cpu = fdt_add_subnode(buf, cpus, "cpu@0");
	assert_int_equal(fdt_setprop_string(buf, cpu, "device_type", "cpu"), 0);
}

static int cpu_node(void)
{
	return fdt_path_offset(buf, "/cpus/cpu@0");
}

static void say(const char *name, const void *value, int size)
{
	assert_int_equal(fdt_setprop(buf, cpu_node(), name, value, size), 0);
}

static void narrow(const struct rv64_caps *caps)
{
	assert_int_equal(rv64_dtb_narrow(buf, sizeof(buf), caps, &error), HV_OK);
	assert_int_equal(fdt_check_full(buf, fdt_totalsize(buf)), 0);
}

static void assert_says(const char *name, const void *value, int size)
{
	int found;
	const void *now = fdt_getprop(buf, cpu_node(), name, &found);

	assert_non_null(now);
	assert_int_equal(found, size);
	assert_memory_equal(now, value, (size_t)size);
}

static void isa__each_string__loses_what_the_vcpu_has_not(void **state)
{
	static const struct {
		const char *host, *tree, *want;
	} tree[] = {
		/* All there: untouched, however it is written. */
		{"rv64gcv", "rv64gc", "rv64gc"},
		{"rv64gc", "RV64I2p1MAFDC_Zicsr_Zifencei2p0", "RV64I2p1MAFDC_Zicsr_Zifencei2p0"},
		{"rv64ima", "rv64ima", "rv64ima"},
		/* H never, though the host has it. */
		{"rv64imafdch_zicsr_sstc", "rv64imafdch_zicsr_zba_sstc", "rv64imafdc_zicsr_sstc"},
		{"rv64imah", "rv64imah", "rv64ima"},
		{"rv64imah", "rv64imaH_h", "rv64ima"},
		/* Gone at the start, in the middle, at the end. */
		{"rv64imac_zbb", "rv64imafdc_zba_zbb_zbc", "rv64imac_zbb"},
		{"rv64imac", "rv64imac_zba_zbb", "rv64imac"},
		{"rv64imac_zba", "rv64imaczicond_zba", "rv64imac_zba"},
		{"rv64imac_zba", "rv64imav_zbb_c_zba", "rv64ima_c_zba"},
		/* Unknown names and vendors' are not what anybody promised. */
		{"rv64gc", "rv64gc_smaia_ssaia_xvendor1p0_zve32x", "rv64gc"},
		{"rv64gc", "rv64gckp_zicntr2", "rv64gc"},
		/* B and G in part: nothing more than is there. */
		{"rv64i_zba_zbb", "rv64ib", "rv64i"},
		{"rv64i_zba_zbb_zbs", "rv64ib", "rv64ib"},
		{"rv64imac", "rv64gc", "rv64ic"},
		{"rv64imac", "rv64g2p0_zba", "rv64i"},
		/* No RV64 at all. */
		{"rv64gc", "rv32imac", ""},
		{"rv64gc", "h", ""},
		{"rv64gc", "", ""},
		{"rv64gc", "rv64_", "rv64"},
	};

	(void)state;
	for (size_t i = 0; i < HV_ARRAY_COUNT(tree); i++) {
		struct rv64_caps caps = caps_of(rv64_isa_parse(tree[i].host, 64), 3);

		begin();
		say("riscv,isa", tree[i].tree, (int)strlen(tree[i].tree) + 1);
		say("after", "x", 2);
		narrow(&caps);
		assert_says("riscv,isa", tree[i].want, (int)strlen(tree[i].want) + 1);
		assert_says("after", "x", 2);
	}
}

static void isa__every_extension_alone_or_missing__is_what_is_left(void **state)
{
	const struct rv64_caps all = {.exts = UINT64_MAX};
	const uint64_t exts = rv64_guest_exts(&all);
	char isa[RV64_ISA_MAX], want[RV64_ISA_MAX];

	(void)state;
	for (unsigned bit = 0; bit < RV64_EXTS; bit++) {
		for (unsigned inverse = 0; inverse < 2; inverse++) {
			const uint64_t have = exts & (inverse ? ~HV_BIT(bit) : HV_BIT(bit));
			size_t size = rv64_isa_write(exts, isa);
			size_t left = rv64_isa_narrow(isa, size, have);

			assert_int_equal(left, rv64_isa_write(have, want));
			assert_memory_equal(isa, want, left);
		}
	}
}

static void isa__not_terminated_or_empty__claims_nothing_beyond(void **state)
{
	const struct rv64_caps caps = caps_of(EXTS("rv64gc"), 3);

	(void)state;
	begin();
	say("riscv,isa", "rv64gch", 7);
	narrow(&caps);
	assert_says("riscv,isa", "", 0);
	begin();
	say("riscv,isa", "rv64gc\0h", 8);
	narrow(&caps);
	assert_says("riscv,isa", "", 0);
	begin();
	say("riscv,isa", "rv64gc\0h", 9); /* what is behind the first NUL goes */
	narrow(&caps);
	assert_says("riscv,isa", "rv64gc", 7);
	begin();
	say("riscv,isa", "", 0);
	narrow(&caps);
	assert_says("riscv,isa", "", 0);
}

static void isa_extensions__list__keeps_what_the_vcpu_has(void **state)
{
	static const char list[] = "i\0m\0a\0f\0d\0c\0h\0zicsr\0zba\0sstc\0smaia\0zicsr_zba";
	static const char want[] = "i\0m\0a\0c\0zicsr\0sstc";
	const struct rv64_caps caps = caps_of(EXTS("rv64imach_zicsr_sstc"), 3);

	(void)state;
	begin();
	say("riscv,isa-extensions", list, sizeof(list));
	narrow(&caps);
	assert_says("riscv,isa-extensions", want, sizeof(want));
	begin();
	say("riscv,isa-extensions", "h\0zba", 6);
	narrow(&caps);
	assert_says("riscv,isa-extensions", "", 0);
	begin();
	say("riscv,isa-extensions", "i\0\0m\0a", 6); /* an empty one, and an end without NUL */
	narrow(&caps);
	assert_says("riscv,isa-extensions", "i\0m", 4);
}

static void mmu_type__above_the_cpu__comes_down_to_it(void **state)
{
	static const char *const type[] = {"riscv,sv39", "riscv,sv48", "riscv,sv57"};

	(void)state;
	for (uint8_t levels = 0; levels <= 6; levels++) {
		for (uint8_t said = 3; said <= 5; said++) {
			const struct rv64_caps caps = caps_of(EXTS("rv64gc"), levels);
			const uint8_t least = levels < said ? levels : said;

			begin();
			say("mmu-type", type[said - 3], 11);
			narrow(&caps);
			assert_says("mmu-type", least < 3 ? "riscv,none" : type[least - 3], 11);
		}
	}
}

static void mmu_type__none_or_other__stays(void **state)
{
	const struct rv64_caps caps = caps_of(EXTS("rv64gc"), 3);

	(void)state;
	begin();
	say("mmu-type", "riscv,none", 11);
	narrow(&caps);
	assert_says("mmu-type", "riscv,none", 11);
	begin();
	say("mmu-type", "riscv,sv64", 11);
	narrow(&caps);
	assert_says("mmu-type", "riscv,sv64", 11);
	begin();
	say("mmu-type", "riscv,sv57x", 12);
	narrow(&caps);
	assert_says("mmu-type", "riscv,sv57x", 12);
}

static void timebase__of_one_cell__is_the_cpus(void **state)
{
	const struct rv64_caps caps = caps_of(EXTS("rv64gc"), 3);
	int cpus;

	(void)state;
	begin();
	say("timebase-frequency", "12345678", 8);
	narrow(&caps);
	cpus = fdt_path_offset(buf, "/cpus");
	assert_int_equal(fdt32_ld(fdt_getprop(buf, cpus, "timebase-frequency", NULL)), 24000000);
	assert_says("timebase-frequency", "12345678", 8);
}

/* Properties of the same names elsewhere are somebody else's. */
static void narrow__other_nodes__are_left_alone(void **state)
{
	static const char *const other[] = {"cpu", "cpusx", "soc"};
	struct rv64_caps caps = caps_of(EXTS("rv64ima"), 3);
	int node, deep;

	(void)state;
	begin();
	for (size_t i = 0; i < HV_ARRAY_COUNT(other); i++) {
		node = fdt_add_subnode(buf, 0, other[i]);
		assert_int_equal(fdt_setprop_string(buf, node, "riscv,isa", "rv64imafdch"), 0);
		deep = fdt_add_subnode(buf, node, "cpus");
		assert_int_equal(fdt_setprop_string(buf, deep, "riscv,isa", "rv64imafdch"), 0);
	}
	say("riscv,isa", "rv64imafdch", 12);
	memcpy(before, buf, sizeof(buf));
	narrow(&caps);
	assert_says("riscv,isa", "rv64ima", 8);
	for (size_t i = 0; i < HV_ARRAY_COUNT(other); i++) {
		node = fdt_subnode_offset(buf, 0, other[i]);
		deep = fdt_subnode_offset(buf, node, "cpus");
		assert_string_equal(fdt_getprop(buf, node, "riscv,isa", NULL), "rv64imafdch");
		assert_string_equal(fdt_getprop(buf, deep, "riscv,isa", NULL), "rv64imafdch");
	}
}

static void narrow__twice__changes_nothing_more(void **state)
{
	const struct rv64_caps caps = caps_of(EXTS("rv64imac_zba"), 4);

	(void)state;
	begin();
	say("riscv,isa", "rv64imafdch_zicsr_zba_zbb", 26);
	say("mmu-type", "riscv,sv57", 11);
	narrow(&caps);
	memcpy(before, buf, sizeof(buf));
	narrow(&caps);
	assert_memory_equal(before, buf, sizeof(buf));
}

static void f6_narrow__no_tree__is_refused_and_untouched(void **state)
{
	const struct rv64_caps caps = caps_of(EXTS("rv64ima"), 3);

	(void)state;
	begin();
	say("riscv,isa", "rv64gc", 7);
	buf[0] ^= 1;
	memcpy(before, buf, sizeof(buf));
	assert_int_equal(rv64_dtb_narrow(buf, sizeof(buf), &caps, &error), HV_ERR_INVALID);
	assert_string_equal(error.input, "dtb");
	assert_string_equal(error.field, "magic");
	assert_memory_equal(before, buf, sizeof(buf));
}

static void f1_narrow__prefixes_of_a_tree__stay_inside(void **state)
{
	const struct rv64_caps caps = caps_of(EXTS("rv64ima"), 3);

	(void)state;
	begin();
	say("riscv,isa", "rv64imafdch_zicsr_zba_zbb", 26);
	assert_int_equal(fdt_pack(buf), 0);
	for (size_t size = 0; size < fdt_totalsize(buf); size++) {
		uint8_t *copy = malloc(size == 0 ? 1 : size);

		assert_non_null(copy);
		memcpy(copy, buf, size);
		assert_int_equal(rv64_dtb_narrow(copy, size, &caps, &error), HV_ERR_INVALID);
		assert_memory_equal(copy, buf, size);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hv_unit_test(isa__each_string__loses_what_the_vcpu_has_not),
		hv_unit_test(isa__every_extension_alone_or_missing__is_what_is_left),
		hv_unit_test(isa__not_terminated_or_empty__claims_nothing_beyond),
		hv_unit_test(isa_extensions__list__keeps_what_the_vcpu_has),
		hv_unit_test(mmu_type__above_the_cpu__comes_down_to_it),
		hv_unit_test(mmu_type__none_or_other__stays),
		hv_unit_test(timebase__of_one_cell__is_the_cpus),
		hv_unit_test(narrow__other_nodes__are_left_alone),
		hv_unit_test(narrow__twice__changes_nothing_more),
		hv_unit_test(f6_narrow__no_tree__is_refused_and_untouched),
		hv_unit_test(f1_narrow__prefixes_of_a_tree__stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
