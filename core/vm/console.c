/* SPDX-License-Identifier: MIT */
/* The guest's console by hypervisor calls: a second producer and consumer beside the serial device.
 */
#include <hv/vm.h>

uint32_t hv_vm_write(struct hv_vm *vm, const uint8_t *bytes, uint32_t count)
{
	const struct hv_call_console *console = &vm->console;
	uint32_t done = 0;

	if (!console->chan) {
		return 0;
	}
	port_lock(console->lock);
	while (done < count && hv_ring_put(&console->chan->to_host, bytes[done])) {
		done++;
	}
	if (done != 0) {
		hv_irq_set(&console->chan->sent, true);
	}
	port_unlock(console->lock);
	return done;
}

uint32_t hv_vm_read(struct hv_vm *vm, uint8_t *bytes, uint32_t count)
{
	const struct hv_call_console *console = &vm->console;
	uint32_t done = 0;

	if (!console->chan) {
		return 0;
	}
	port_lock(console->lock);
	while (done < count && hv_ring_get(&console->chan->to_guest, &bytes[done])) {
		done++;
	}
	if (done != 0) {
		hv_irq_set(&console->chan->taken, true);
	}
	port_unlock(console->lock);
	return done;
}
