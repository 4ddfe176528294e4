/* SPDX-License-Identifier: MIT */
/* Registers of the emulated CPU by Unicorn's API. */
#include "uc_engine.h"

#include <string.h>

static uc_arm64_cp_reg name_of(uint32_t sysreg)
{
	return (uc_arm64_cp_reg){
		.op0 = UC_SYSREG_OP0(sysreg),
		.op1 = UC_SYSREG_OP1(sysreg),
		.crn = UC_SYSREG_CRN(sysreg),
		.crm = UC_SYSREG_CRM(sysreg),
		.op2 = UC_SYSREG_OP2(sysreg),
	};
}

uint64_t sim_sysreg_get(uc_engine *uc, uint32_t sysreg)
{
	uc_arm64_cp_reg cp = name_of(sysreg);

	return uc_reg_read(uc, UC_ARM64_REG_CP_REG, &cp) == UC_ERR_OK ? cp.val : 0;
}

void sim_sysreg_set(uc_engine *uc, uint32_t sysreg, uint64_t value)
{
	uc_arm64_cp_reg cp = name_of(sysreg);

	cp.val = value;
	(void)uc_reg_write(uc, UC_ARM64_REG_CP_REG, &cp);
}

uint64_t sim_reg_get(uc_engine *uc, int reg)
{
	uint64_t value = 0; /* Unicorn fills in 4 or 8 bytes */

	(void)uc_reg_read(uc, reg, &value);
	return value;
}

void sim_reg_set(uc_engine *uc, int reg, uint64_t value)
{
	(void)uc_reg_write(uc, reg, &value);
}

int sim_reg_x(unsigned n)
{
	static const int last[] = {UC_ARM64_REG_X29, UC_ARM64_REG_X30};

	return n < 29 ? UC_ARM64_REG_X0 + (int)n : last[n - 29];
}

struct sim_fault sim_engine_fault(struct sim_engine *engine)
{
	const uint8_t *bytes = (const uint8_t *)engine->context;
	struct sim_fault fault;

	(void)uc_context_save(engine->uc, engine->context);
	memcpy(&fault.esr, bytes + engine->at.esr, sizeof(fault.esr));
	memcpy(&fault.far, bytes + engine->at.far, sizeof(fault.far));
	memcpy(&fault.target_el, bytes + engine->at.target_el, sizeof(fault.target_el));
	return fault;
}

void sim_engine_put_aside(struct sim_engine *engine, uc_context *context)
{
	const uint64_t open = ~0ull;

	(void)uc_context_save(engine->uc, context);
	memcpy((uint8_t *)context + engine->at.exclusive, &open, sizeof(open));
}
