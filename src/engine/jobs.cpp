#include "engine/jobs.hpp"

#include "engine/journal.hpp"
#include "engine/snapshot.hpp"

namespace millrace::engine {
namespace {

JobResult run(storage::Store& store, const LoadJob& job) {
  Loaded loaded;
  loaded.blocks.reserve(job.blocks.size());
  for (const auto& [block, version] : job.blocks) {
    auto read = load_block(store, block, version);
    if (!read) return std::move(read).error();
    loaded.blocks.push_back(std::move(*read));
  }
  return loaded;
}

JobResult run(storage::Store& store, const WriteJob& job) {
  if (job.journal_first)
    if (auto synced = store.commit({}, storage::Sync::disk); !synced) return std::move(synced).error();
  if (auto wrote = store.write_derived(job.write); !wrote) return std::move(wrote).error();
  return Wrote{};
}

JobResult run(storage::Store& store, const FinishJob& job) {
  storage::Write globals;
  if (auto swept = sweep_aliases(store, job.sweep, globals); !swept) return std::move(swept).error();
  if (auto flushed = store.flush_derived(); !flushed) return std::move(flushed).error();
  globals.put(storage::Family::meta, globals_key, job.globals);
  globals.put(storage::Family::meta, garbage_key, write_garbage(job.garbage));
  if (auto committed = store.commit(globals, storage::Sync::disk); !committed) return std::move(committed).error();
  if (auto cut = store.drop_range(storage::Family::journal, journal_key(0), journal_key(job.group + 1)); !cut)
    return std::move(cut).error();
  if (!job.garbage.empty())
    if (auto erased = store.write_derived(job.garbage); !erased) return std::move(erased).error();
  return Finished{job.group};
}

}  // namespace

Result<ReadBlock> load_block(const storage::Store& store, std::uint64_t block, std::uint64_t version) {
  const auto key = block_key(block, version);
  auto image = store.get(storage::Family::blocks, key);
  if (!image) return std::move(image).error();
  const auto broken = [&](const char* why) {
    return Error{ErrorCode::corrupt,
                 "block " + std::to_string(block) + " of checkpoint " + std::to_string(version) + " " + why};
  };
  if (!*image) return broken("is missing");
  std::optional<Error> failed;
  auto read = read_block(block, key, **image, [&](std::string_view blob) -> std::optional<std::string> {
    auto value = store.get(storage::Family::blobs, blob);
    if (!value) return failed = std::move(value).error(), std::nullopt;
    return std::move(*value);
  });
  if (failed) return *failed;
  if (!read) return broken("fails its check");
  return std::move(*read);
}

JobResult execute(storage::Store& store, const Job& job) {
  return std::visit([&](const auto& work) { return run(store, work); }, job);
}

}  // namespace millrace::engine
