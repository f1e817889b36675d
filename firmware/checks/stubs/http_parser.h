// SPDX-License-Identifier: Apache-2.0
/* http_parser */
#pragma once
enum http_method {
    HTTP_DELETE,
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_CONNECT,
    HTTP_OPTIONS,
    HTTP_TRACE,
    HTTP_PATCH = 28,
};
const char *http_method_str(enum http_method method);
