// SPDX-License-Identifier: Apache-2.0
#include "host_tools/metrics/tls_certificate.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "host_tools/base/file.h"
#include "host_tools/metrics/basic_auth.h"

namespace plectl::metrics {
namespace {

struct OpenSslDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, OpenSslDeleter>;

Bio ReaderOf(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key with a password would make OpenSSL ask for it on the terminal.
int NoPassword(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) { return 0; }

// Each begins at the start of the file: PEM readers skip what they do not look for.
bool HoldsKeyPair(const std::string& text) {
  const std::unique_ptr<X509, OpenSslDeleter> certificate(
      PEM_read_bio_X509(ReaderOf(text).get(), nullptr, NoPassword, nullptr));
  const std::unique_ptr<EVP_PKEY, OpenSslDeleter> key(
      PEM_read_bio_PrivateKey(ReaderOf(text).get(), nullptr, NoPassword, nullptr));
  return certificate && key && X509_check_private_key(certificate.get(), key.get()) == 1;
}

}  // namespace

Status CheckTlsCertificate(const std::filesystem::path& path) {
  PLECTL_RETURN_IF_ERROR(CheckPrivateFile(path, "certificate file"));
  Result<std::string> text = ReadFile(path);
  if (!text) return BadInput(text.error().message);
  if (text->size() > 1U << 20U || !HoldsKeyPair(*text)) {
    return BadInput(fmt::format("the certificate file {} does not hold an unencrypted key and its "
                                "certificate in PEM",
                                path.string()),
                    "cat KEY.pem CERTIFICATE.pem CHAIN.pem into one file");
  }
  return OkStatus();
}

}  // namespace plectl::metrics
