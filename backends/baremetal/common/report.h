/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's own lines on the console. With a token they are the records of hv/bundle.h,
 * which a tool tells from the guest's output; without one they are for people and start with
 * "drydock: ".
 */
#ifndef REPORT_H
#define REPORT_H

#include <hv/text.h>

/*
 * Until the first call there is no token. `token` must stay. A token's first record says "begin";
 * the empty one is none.
 */
void report_token(const char *token);
/* One record: kind is "log", "stat", "dump" or "end". The console is locked while it is written. */
void report(const char *kind, const struct hv_text *text);
void report_str(const char *kind, const char *str);
/* Our end is near: from now on no lock is taken, for its holder may be us. */
void report_emergency(void);

/* What the backend gives: bytes to the console, returning when all are out; and its lock. */
void console_write(const char *bytes, size_t size);
void console_lock(void);
void console_unlock(void);

#endif
