// SPDX-License-Identifier: Apache-2.0
/* newlib */
#pragma once

int close(int descriptor);
