// SPDX-License-Identifier: Apache-2.0
/* lwip */
#pragma once
#include <stddef.h>
#include <sys/types.h>

#define MSG_DONTWAIT 0x08
#define SHUT_RDWR 2

ssize_t send(int socket, const void *bytes, size_t length, int flags);
int shutdown(int socket, int how);
