/* SPDX-License-Identifier: MIT */
#include "fake_vm.h"

#include <stdio.h>
#include <stdlib.h>

static void must(enum hv_status status, const char *what)
{
	if (status != HV_OK) {
		fprintf(stderr, "fake_vm: %s: %d\n", what, status);
		abort();
	}
}

static void take_memory(struct fake_vm *fake, size_t arena_size)
{
	fake->arena.size = arena_size;
	fake->arena.base = malloc(arena_size);
	fake->pool.base = aligned_alloc(HV_PAGE_SIZE, FAKE_VM_PAGES * HV_PAGE_SIZE);
	fake->ram = calloc(1, FAKE_VM_RAM_SIZE);
	fake->rom = calloc(1, FAKE_VM_ROM_SIZE);
	if (!fake->arena.base || !fake->pool.base || !fake->ram || !fake->rom) {
		abort();
	}
}

struct hv_vm_cfg fake_vm_prepare(struct fake_vm *fake, uint16_t vcpus)
{
	const struct hv_vm_cfg cfg = {
		.id = 7,
		.vcpu_count = vcpus,
		.arch = fake->arch ? fake->arch : &fake_arch,
		.pages = &fake->pool,
		.ia_bits = 40,
		.pa_bits = 40,
	};

	if (!fake->ram) {
		take_memory(fake, hv_vm_arena_size(&cfg));
	}
	fake->arena.used = 0;
	hv_pages_init(&fake->pool, fake->pool.base, HPA(FAKE_VM_POOL_HPA), FAKE_VM_PAGES);
	return cfg;
}

void fake_vm_create(struct fake_vm *fake, uint16_t vcpus)
{
	const struct hv_vm_cfg cfg = fake_vm_prepare(fake, vcpus);
	const struct hv_gmem_region ram = {
		.gpa = GPA(FAKE_VM_RAM),
		.size = FAKE_VM_RAM_SIZE,
		.hpa = HPA(FAKE_VM_RAM_HPA),
		.host = fake->ram,
		.prot = HV_PROT_R | HV_PROT_W | HV_PROT_X,
	};
	const struct hv_gmem_region rom = {
		.gpa = GPA(FAKE_VM_ROM),
		.size = FAKE_VM_ROM_SIZE,
		.hpa = HPA(FAKE_VM_ROM_HPA),
		.host = fake->rom,
		.prot = HV_PROT_R | HV_PROT_X,
		.lazy = true,
	};

	must(hv_vm_create(&fake->vm, &cfg, &fake->arena), "create");
	must(hv_gmem_add(&fake->vm->gmem, &ram), "ram");
	must(hv_gmem_add(&fake->vm->gmem, &rom), "rom");
}

void fake_vm_start(struct fake_vm *fake, uint16_t vcpus)
{
	fake_vm_create(fake, vcpus);
	must(hv_vm_seal(fake->vm), "seal");
	must(hv_vm_start(fake->vm, GPA(FAKE_VM_PC), 0), "start");
}

void fake_vcpu_bring(struct hv_vcpu *vcpu, enum hv_vcpu_state to)
{
	static const enum hv_vcpu_state way[][3] = {
		[HV_VCPU_OFF] = {HV_VCPU_OFF},
		[HV_VCPU_READY] = {HV_VCPU_READY},
		[HV_VCPU_RUNNING] = {HV_VCPU_READY, HV_VCPU_RUNNING},
		[HV_VCPU_BLOCKED] = {HV_VCPU_READY, HV_VCPU_RUNNING, HV_VCPU_BLOCKED},
		[HV_VCPU_DEAD] = {HV_VCPU_READY, HV_VCPU_RUNNING, HV_VCPU_DEAD},
	};

	for (unsigned i = 0; i < 3 && vcpu->state != to; i++) {
		struct hv_vcpu_held held = hv_vcpu_hold(vcpu);

		if (vcpu->state != way[to][i]) {
			must(hv_vcpu_move(held, way[to][i]), "bring");
		}
		hv_vcpu_drop(held);
	}
}

void fake_vm_free(struct fake_vm *fake)
{
	free(fake->arena.base);
	free(fake->pool.base);
	free(fake->ram);
	free(fake->rom);
	*fake = (struct fake_vm){0};
}
