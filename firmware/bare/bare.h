// SPDX-License-Identifier: Apache-2.0
/* What the core alone needs of a machine: a console, a clock, a way to start over. */
#ifndef BARE_H
#define BARE_H

#include <stddef.h>
#include <stdint.h>

#include "fw_core.h"

#define BARE_SHA256_BYTES 32

/* The config of this build, by whoever links it. */
extern const fw_config bare_config;

/* Of the machine. */
uint32_t bare_now(void); /* milliseconds; wraps, as the core expects */
void bare_write(const uint8_t *bytes, size_t length);
/* At the latest until then; sooner does no harm. */
void bare_wait_until(uint32_t deadline);
void bare_restart(void) __attribute__((noreturn));
/* Digest of the ELF file, or NULL where nobody knows it. */
const uint8_t *bare_elf_sha256(void);

/* Boot the core and do what it says, for ever. */
void bare_run(void) __attribute__((noreturn));

#endif
