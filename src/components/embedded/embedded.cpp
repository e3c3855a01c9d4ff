#include <filesystem>
#include <map>
#include <mutex>

#include "connect/schemes.hpp"
#include "engine/engine.hpp"

/// `file:DIR` and `memory:NAME`.
namespace millrace {
namespace {

/// `file:./data`, `file:/srv/data` and `file:///srv/data` as a path.
std::filesystem::path directory_of(const BrokerUrl& url) {
  std::string_view address = url.address;
  if (address.starts_with("//")) address.remove_prefix(2);
  return address;
}

/// One process, one engine per directory, however the directory is spelled.
std::string identity_of_directory(const BrokerUrl& url) {
  std::error_code error;
  auto path = std::filesystem::weakly_canonical(directory_of(url), error);
  if (error) path = directory_of(url);
  if (path.filename().empty()) path = path.parent_path();
  return "file:" + path.string();
}

/// `memory:` is a broker of its own every time.
std::string identity_of_memory(const BrokerUrl& url) { return url.address.empty() ? "" : "memory:" + url.address; }

Result<std::shared_ptr<Broker>> open_directory(const BrokerUrl& url) {
  if (auto known = url.only_options({"durability"}); !known) return std::move(known).error();
  if (directory_of(url).empty())
    return Error{ErrorCode::invalid_argument, "file: needs a directory, as in file:./data", "url"};
  engine::EngineOptions options;
  options.program = "another program";
  if (const auto text = url.option("durability"); !text.empty()) {
    const auto durability = parse_durability(text);
    if (!durability || *durability > Durability::disk) {
      return Error{ErrorCode::invalid_argument,
                   "durability is memory, process or disk, not '" + std::string(text) + "'", "url"};
    }
    options.durability = *durability;
  }
  auto opened = engine::open_engine(directory_of(url), std::move(options));
  if (!opened) return std::move(opened).error();
  return std::shared_ptr<Broker>(*std::move(opened));
}

Result<std::shared_ptr<Broker>> open_memory(const BrokerUrl& url) {
  if (auto known = url.only_options({}); !known) return std::move(known).error();
  return std::shared_ptr<Broker>(engine::open_memory_engine({}));
}

}  // namespace
}  // namespace millrace

extern "C" {
/// Named by the linker option of this folder.
extern const bool millrace_component_embedded;
const bool millrace_component_embedded =
    millrace::register_scheme({"file", "embedded", millrace::open_directory, millrace::identity_of_directory}) &&
    millrace::register_scheme({"memory", "embedded", millrace::open_memory, millrace::identity_of_memory});
}
