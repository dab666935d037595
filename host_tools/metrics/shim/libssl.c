/* SPDX-License-Identifier: Apache-2.0 */
/* civetweb 1.15 looks for its functions of OpenSSL in "libssl.so", a name that only libssl-dev has,
 * and calls SSL_get_peer_certificate() after each handshake, which OpenSSL 3 has under another name
 * only: there, the first TLS client ends the whole process. This library has that name and that
 * function; all others are in libssl.so.3, which it is linked with. */
#include <openssl/ssl.h>

#undef SSL_get_peer_certificate

X509* SSL_get_peer_certificate(const SSL* ssl);

X509* SSL_get_peer_certificate(const SSL* ssl) { return SSL_get1_peer_certificate(ssl); }
