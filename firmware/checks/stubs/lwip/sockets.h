// SPDX-License-Identifier: Apache-2.0
/* lwip */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MSG_DONTWAIT 0x08
#define SHUT_RDWR 2
#define IPPROTO_TCP 6
#define TCP_NODELAY 0x01

typedef uint32_t socklen_t;

ssize_t send(int socket, const void *bytes, size_t length, int flags);
int shutdown(int socket, int how);
int setsockopt(int socket, int level, int option, const void *value, socklen_t length);
