/* SPDX-License-Identifier: MIT */
/* ISA strings and the host's capabilities. */
#include "rv64_kit.h"

#define ISA(string) rv64_isa_parse(string, sizeof(string))

#define IMAFD                                                                                      \
	(kit_letter('i') | kit_letter('m') | kit_letter('a') | kit_letter('f') | kit_letter('d'))
#define CSR_FENCEI (HV_BIT(RV64_EXT_ZICSR) | HV_BIT(RV64_EXT_ZIFENCEI))

/* Every extension by every name; h is the only letter that guests do not have. */
#define ALL_OF_GUEST                                                                               \
	(IMAFD | kit_letter('c') | kit_letter('v') | HV_MASK(RV64_EXTS - 1, RV64_EXT_ZICSR))

static void parse__strings_of_hosts__say_what_is_there(void **state)
{
	const uint64_t qemu = IMAFD | kit_letter('c') | kit_letter('h') | CSR_FENCEI;

	(void)state;
	/* As QEMU 7.2 writes it. */
	assert_int_equal(ISA("rv64imafdch_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc"),
		qemu | HV_BIT(RV64_EXT_ZIHINTPAUSE) | HV_BIT(RV64_EXT_ZBA) | HV_BIT(RV64_EXT_ZBB) |
			HV_BIT(RV64_EXT_ZBC) | HV_BIT(RV64_EXT_ZBS) | HV_BIT(RV64_EXT_SSTC));
	assert_int_equal(ISA("rv64imac"),
		kit_letter('i') | kit_letter('m') | kit_letter('a') | kit_letter('c'));
	assert_int_equal(ISA("rv64gc"), IMAFD | kit_letter('c') | CSR_FENCEI);
	assert_int_equal(ISA("rv64ib"), kit_letter('i') | HV_BIT(RV64_EXT_ZBA) |
						HV_BIT(RV64_EXT_ZBB) | HV_BIT(RV64_EXT_ZBS));
	assert_int_equal(ISA("rv64"), 0);
}

static void parse__case_underscores_versions_and_unknown_names__do_not_matter(void **state)
{
	const uint64_t ima = kit_letter('i') | kit_letter('m') | kit_letter('a');

	(void)state;
	assert_int_equal(ISA("RV64IMA_Zicsr_ZIFENCEI"), ima | CSR_FENCEI);
	assert_int_equal(ISA("rv64i2p1m2p0a2p1_zicsr2p0_zifencei2"), ima | CSR_FENCEI);
	assert_int_equal(ISA("rv64i2m2a2P1"), ima);
	assert_int_equal(ISA("rv64i_m__a_"), ima);
	assert_int_equal(ISA("rv64imasu"), ima); /* modes, as old strings had them */
	assert_int_equal(ISA("rv64imaqlktjn_zzz_zve32x_zvl128b_smaia_xvendor1p0_svade"), ima);
	/* A known name is not the start of another one, nor a part. */
	assert_int_equal(ISA("rv64ima_zfhmi_zfhminx_zb_zbab_svinvalx"), ima);
	assert_int_equal(ISA("rv64ima_zfhmin"), ima | HV_BIT(RV64_EXT_ZFHMIN));
	assert_int_equal(ISA("rv64ima_zicsr2p_sstc"), ima | HV_BIT(RV64_EXT_SSTC));
	/* A p without a digit is an extension that core does not know. */
	assert_int_equal(ISA("rv64i2pm_a"), ima);
	assert_int_equal(ISA("rv64i2p"), kit_letter('i'));
	assert_int_equal(ISA("rv64ima_zicsrzifencei"), ima); /* needs the underscore */
}

static void parse__no_rv64__nothing(void **state)
{
	(void)state;
	assert_int_equal(ISA("rv32imac"), 0);
	assert_int_equal(ISA("rv6"), 0);
	assert_int_equal(ISA("imac"), 0);
	assert_int_equal(ISA(""), 0);
	assert_int_equal(rv64_isa_parse(NULL, 0), 0);
}

/* What lies behind the end is a name, too, and must not count. */
static void parse__any_size__never_reads_behind_it(void **state)
{
	static const char isa[] = "rv64i2p1mafdch_zicsr_zifencei2p0_zba_zbb_svpbmt";

	(void)state;
	for (size_t size = 0; size < sizeof(isa); size++) {
		char *copy = malloc(size + 1);
		uint64_t exts;

		assert_non_null(copy);
		memcpy(copy, isa, size);
		copy[size] = '\0';
		exts = rv64_isa_parse(copy, size + 1);
		copy[size] = 'm';
		assert_int_equal(rv64_isa_parse(copy, size), exts);
		free(copy);
		/* And exactly sized, for a memory checker. */
		copy = malloc(size ? size : 1);
		assert_non_null(copy);
		memcpy(copy, isa, size);
		assert_int_equal(rv64_isa_parse(copy, size), exts);
		free(copy);
	}
}

static void parse__random_bytes__end(void **state)
{
	static const char alphabet[] = "rv64imafdcghzsxp_0129bZ\xff";
	uint64_t dice = 4;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		char text[24] = "rv64";

		for (unsigned i = 4; i < sizeof(text); i++) {
			dice = dice * 6364136223846793005u + 1442695040888963407u;
			text[i] = alphabet[(dice >> 33) % (sizeof(alphabet) - 1)];
		}
		assert_int_equal(
			rv64_isa_parse(text, sizeof(text)) & ~(ALL_OF_GUEST | kit_letter('h')), 0);
	}
}

static void write__canonical_order(void **state)
{
	char isa[RV64_ISA_MAX];

	(void)state;
	assert_int_equal(rv64_isa_write(0, isa), 4);
	assert_string_equal(isa, "rv64");
	(void)rv64_isa_write(ISA("rv64hcvdfami_sstc_zba_zicsr_zifencei_zicntr_zawrs"), isa);
	assert_string_equal(isa, "rv64imafdcvh_zicntr_zicsr_zifencei_zawrs_zba_sstc");
}

static void write__each_alone_and_all__reads_the_same_again(void **state)
{
	char isa[RV64_ISA_MAX];

	(void)state;
	for (unsigned n = 0; n < 64; n++) {
		uint64_t ext = HV_BIT(n) & (ALL_OF_GUEST | kit_letter('h'));
		size_t size = rv64_isa_write(HV_BIT(n), isa);

		assert_int_equal(size, strlen(isa));
		assert_int_equal(rv64_isa_parse(isa, sizeof(isa)), ext);
		assert_int_equal(size > 4, ext != 0);
	}
	assert_in_range(rv64_isa_write(~(uint64_t)0, isa), 100, RV64_ISA_MAX - 2);
	assert_int_equal(rv64_isa_parse(isa, sizeof(isa)), ALL_OF_GUEST | kit_letter('h'));
}

/* ---- capabilities ---- */

static void caps__each_thing_missing__is_named(void **state)
{
	static const char *const base[] = {"rv64mafdch", "rv64iafdch", "rv64imfdch"};
	struct rv64_caps caps = kit_caps();

	(void)state;
	assert_null(rv64_caps_missing(&caps));
	caps.gstage_levels = 3;
	assert_null(rv64_caps_missing(&caps));
	caps.gstage_levels = 2;
	assert_string_equal(rv64_caps_missing(&caps), "two-stage translation with Sv39x4");
	for (unsigned i = 0; i < HV_ARRAY_COUNT(base); i++) {
		caps = kit_caps();
		caps.exts = rv64_isa_parse(base[i], 16);
		assert_string_equal(rv64_caps_missing(&caps),
			"one of the extensions I, M and A, which every guest is promised");
	}
	caps.exts = ISA("rv64imafdc");
	assert_string_equal(rv64_caps_missing(&caps), "the H extension");
}

static void guest_exts__what_core_knows_but_never_h(void **state)
{
	struct rv64_caps caps = {.exts = ~(uint64_t)0};

	(void)state;
	assert_int_equal(rv64_guest_exts(&caps), ALL_OF_GUEST);
	caps.exts = kit_letter('h') | kit_letter('q') | kit_letter('i') | HV_BIT(RV64_EXT_ZKT) |
		    HV_BIT(RV64_EXTS);
	assert_int_equal(rv64_guest_exts(&caps), kit_letter('i') | HV_BIT(RV64_EXT_ZKT));
}

static void vcpu_caps_set__sstc_follows(void **state)
{
	struct rv64_caps caps = kit_caps();

	(void)state;
	assert_false(kit.vcpu->sstc);
	caps.exts |= HV_BIT(RV64_EXT_SSTC);
	rv64_vcpu_caps_set(kit.vcpu, &caps);
	assert_true(kit.vcpu->sstc);
	assert_memory_equal(&kit.vcpu->caps, &caps, sizeof(caps));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(parse__strings_of_hosts__say_what_is_there),
		kit_test(parse__case_underscores_versions_and_unknown_names__do_not_matter),
		kit_test(parse__no_rv64__nothing),
		kit_test(parse__any_size__never_reads_behind_it),
		kit_test(parse__random_bytes__end),
		kit_test(write__canonical_order),
		kit_test(write__each_alone_and_all__reads_the_same_again),
		kit_test(caps__each_thing_missing__is_named),
		kit_test(guest_exts__what_core_knows_but_never_h),
		kit_test(vcpu_caps_set__sstc_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
