#include "codec/fingerprint.hpp"

#include <string>

#include <openssl/evp.h>

#include "base/bytes.hpp"

namespace millrace {

Fingerprint fingerprint_of(std::string_view type, std::string_view queue, std::string_view payload) {
  std::string head;
  ByteWriter out(head);
  out.text(type);
  out.text(queue);
  unsigned char digest[EVP_MAX_MD_SIZE];
  auto* const context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  EVP_DigestUpdate(context, head.data(), head.size());
  EVP_DigestUpdate(context, payload.data(), payload.size());
  EVP_DigestFinal_ex(context, digest, nullptr);
  EVP_MD_CTX_free(context);
  ByteReader in({reinterpret_cast<const char*>(digest), 16});
  return {in.fixed64(), in.fixed64()};
}

}  // namespace millrace
