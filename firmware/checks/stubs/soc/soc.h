// SPDX-License-Identifier: Apache-2.0
/* soc */
#pragma once
#include <stdint.h>

#define BIT(n) (1UL << (n))
#define REG_READ(address) (*(volatile uint32_t *)(address))
#define REG_SET_BIT(address, bits) (REG_READ(address) |= (bits))
#define REG_CLR_BIT(address, bits) (REG_READ(address) &= ~(bits))
