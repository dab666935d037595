/* SPDX-License-Identifier: Apache-2.0 */
/* The name under which civetweb looks for libcrypto.so.3, which this library is linked with. */
extern const int plectl_libcrypto_shim;
const int plectl_libcrypto_shim = 1;
