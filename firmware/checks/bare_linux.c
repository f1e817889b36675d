// SPDX-License-Identifier: Apache-2.0
/* firmware/bare on the target's instructions without the chip: time passes where the core waits, and ends after some. */
#include <stdio.h>
#include <stdlib.h>

#include "bare.h"

#define LASTS_MS 10000u

static uint32_t now;

uint32_t bare_now(void)
{
    return now;
}

void bare_write(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        (void)printf("%c", bytes[i]);
    }
}

void bare_wait_until(uint32_t deadline)
{
    now = deadline;
    if (now >= LASTS_MS) {
        exit(0);
    }
}

void bare_restart(void)
{
    exit(1);
}

const uint8_t *bare_elf_sha256(void)
{
    return NULL;
}

int main(void);
int main(void)
{
    bare_run();
}
