#include <algorithm>
#include <fstream>
#include <string>

#include "backends/remote/remote_broker.hpp"
#include "connect/schemes.hpp"

/// `http://host:8000`, `https://host`, `unix:/run/millrace.sock`.
namespace millrace {
namespace {

/// The first line of a file with a secret.
Result<std::string> read_secret(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line.empty()) {
    return Error{ErrorCode::invalid_argument, "the token file " + path + " cannot be read or is empty", "token_file"};
  }
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  return line;
}

Result<std::shared_ptr<Broker>> open_server(const BrokerUrl& url) {
  if (auto known = url.only_options({"token_file", "ca_file"}); !known) return std::move(known).error();
  remote::RemoteOptions options;
  options.http.ca_file = url.option("ca_file");
  if (const std::string path(url.option("token_file")); !path.empty()) {
    auto token = read_secret(path);
    if (!token) return std::move(token).error();
    options.http.headers.emplace_back("Authorization", "Bearer " + *token);
  }
  auto address = url.scheme + ":" + url.address;
  while (url.scheme != "unix" && address.ends_with('/')) address.pop_back();
  return remote::make_remote_broker(std::move(address), std::move(options));
}

}  // namespace
}  // namespace millrace

extern "C" {
/// Named by the linker option of this folder.
extern const bool millrace_component_client;
const bool millrace_component_client = millrace::register_scheme({"http", "client", millrace::open_server, nullptr}) &&
                                       millrace::register_scheme({"https", "client", millrace::open_server, nullptr}) &&
                                       millrace::register_scheme({"unix", "client", millrace::open_server, nullptr});
}
