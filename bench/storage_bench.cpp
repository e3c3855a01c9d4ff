// What the storage layer does on this disk, beside what the disk does by itself.
//
//   storage_bench [--seconds 10] [--directory .] [SCENARIO…]
//
// Scenarios: idle raw commit engine blocks aliases; all of them when none is named. Each line names durability,
// size and percentiles; `cpu` is processor time of the whole process per second, `disk` bytes the process caused to be
// written per byte it was given.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <vector>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "bench/storage_run.hpp"
#include "storage/posix_file.hpp"
#include "storage/rocks_store.hpp"

namespace {

using namespace millrace;
using namespace millrace::bench;
using namespace millrace::storage;

struct Settings {
  double seconds = 10;
  std::filesystem::path directory = ".";
};

/// A directory for one measurement, removed afterwards.
class Scratch {
 public:
  explicit Scratch(const Settings& settings)
      : path_(settings.directory / ("storage-bench-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

std::unique_ptr<Store> open_store(const std::filesystem::path& path) {
  return open_rocks_store(path, RocksOptions{}).value();
}

std::string key_of(std::uint64_t high, std::uint64_t low) {
  std::string key;
  append_key(key, high);
  append_key(key, low);
  return key;
}

/// pwrite and fdatasync: what no store on this disk can beat.
void raw(const Settings& settings) {
  for (const bool written_before : {false, true}) {
    for (const std::size_t size : {4096UL, 65536UL, 262144UL, 1048576UL}) {
      const Scratch scratch(settings);
      auto file = PosixFile::open(scratch / "file", O_RDWR | O_CREAT).value();
      const std::string bytes(size, 'x');
      constexpr std::uint64_t file_bytes = std::uint64_t{256} << 20;
      for (std::uint64_t at = 0; written_before && at < file_bytes; at += 1 << 20)
        file.write_at(at, std::string(1 << 20, 'y')).value();
      file.sync().value();
      Run run(sized(written_before ? "raw overwrite + fdatasync" : "raw append + fdatasync", size));
      std::uint64_t at = 0;
      double total = 0;
      while (run.elapsed() < settings.seconds / 4) {
        run.call([&] {
          file.write_at(at, bytes).value();
          if (::fdatasync(file.descriptor()) != 0) std::abort();
        });
        total += static_cast<double>(size);
        at += size;
        if (at + size > file_bytes) {
          at = 0;
          if (!written_before) file.truncate(0).value();
        }
      }
      run.report(total / static_cast<double>(size), "writes", total);
    }
  }
}

/// Groups into the journal alone, cut every 32 MiB.
void commits(const Settings& settings, Sync sync, std::string_view level) {
  Random random(1);
  for (const std::size_t size : {256UL, 4096UL, 65536UL, 262144UL, 1048576UL}) {
    const Scratch scratch(settings);
    const auto store = open_store(scratch / "db");
    const auto value = task_like(size, random);
    Run run(sized("commit, level " + std::string(level) + ",", size));
    double total = 0;
    std::uint64_t group = 0;
    std::uint64_t cut_at = 0;
    Write write;
    while (run.elapsed() < settings.seconds / 4) {
      run.call([&] {
        write.clear();
        write.put(Family::journal, key_of(0, group++), value);
        store->commit(write, sync).value();
      });
      total += static_cast<double>(size);
      if ((group - cut_at) * size > (32 << 20)) {
        store->drop_range(Family::journal, key_of(0, 0), key_of(0, group)).value();
        cut_at = group;
      }
    }
    run.report(static_cast<double>(group), "groups", total);
  }
}

/// The life of the engine: groups are committed while a background thread writes the same bytes as blocks, flushes
/// them, writes a checkpoint and cuts the journal; old blocks are dropped. `window` is how much journal is kept.
void engine(const Settings& settings, std::size_t group_bytes, std::uint64_t window, double journal_rate) {
  Random random(2);
  const Scratch scratch(settings);
  const auto store = open_store(scratch / "db");
  const auto value = task_like(group_bytes, random);
  const auto block = task_like(12 << 10, random);
  std::atomic<std::uint64_t> committed{0};
  std::atomic<bool> stop{false};
  double flush_worst = 0;
  int checkpoints = 0;
  std::thread background([&] {
    std::uint64_t blocks = 0;
    std::uint64_t cut = 0;
    Write write;
    const auto write_blocks_of = [&](std::uint64_t group) {
      for (; blocks * block.size() < group * group_bytes && !stop; ++blocks) {
        write.put(Family::blocks, key_of(blocks, 1), block);
        if (write.bytes() < (64 << 10)) continue;
        store->write_derived(write).value();
        write.clear();
      }
      store->write_derived(write).value();
      write.clear();
    };
    while (!stop) {
      const auto group = committed.load();
      write_blocks_of(group);
      if ((group - cut) * group_bytes < window) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      const auto start = Clock::now();
      store->flush_derived().value();
      Write checkpoint;
      checkpoint.put(Family::meta, "checkpoint", std::string(4096, 'c'));
      store->commit(checkpoint, Sync::disk).value();
      store->drop_range(Family::journal, key_of(0, 0), key_of(0, group)).value();
      flush_worst = std::max(flush_worst, seconds_since(start));
      ++checkpoints;
      cut = group;
      // Retention: a gigabyte of blocks.
      const std::uint64_t kept = (std::uint64_t{1} << 30) / block.size();
      if (blocks > kept) store->drop_range(Family::blocks, key_of(0, 0), key_of(blocks - kept, 0)).value();
    }
  });
  Run run(sized("engine, level disk,", group_bytes) + sized(", window", window) + (journal_rate > 0 ? " paced" : ""));
  double total = 0;
  Write write;
  double rss_max = 0;
  while (run.elapsed() < settings.seconds) {
    if (journal_rate > 0) {
      while (total > journal_rate * run.elapsed()) std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    run.call([&] {
      write.clear();
      write.put(Family::journal, key_of(0, committed.load()), value);
      store->commit(write, Sync::disk).value();
    });
    ++committed;
    total += static_cast<double>(group_bytes);
    if (committed % 64 == 0) rss_max = std::max(rss_max, rss_mib());
  }
  run.report(static_cast<double>(committed.load()), "groups", total);
  stop = true;
  background.join();
  const auto health = store->health();
  std::printf("    %d checkpoints, worst %.0f ms; rss max %.0f MiB; level 0 files %llu; on disk %.0f MiB\n",
              checkpoints, flush_worst * 1e3, rss_max, static_cast<unsigned long long>(health.level0_files),
              static_cast<double>(health.disk_bytes) / mib);
}

/// Client-chosen ids: batches of 1,000 random keys, then reads that miss and reads that hit.
void aliases(const Settings& settings) {
  Random random(3);
  const Scratch scratch(settings);
  const auto store = open_store(scratch / "db");
  const auto key = [](std::uint64_t number) {
    Random of_key(number);
    return "order-" + std::to_string(of_key.next()) + "-" + std::to_string(of_key.below(1000));
  };
  std::uint64_t count = 0;
  double total = 0;
  {
    Run run("aliases, put 1,000 a batch, not logged");
    Write write;
    while (run.elapsed() < settings.seconds) {
      write.clear();
      for (int i = 0; i < 1000; ++i) write.put(Family::aliases, key(count++), std::string(28, 'v'));
      run.call([&] { store->write_derived(write).value(); });
      total += static_cast<double>(write.bytes());
    }
    store->flush_derived().value();
    run.report(static_cast<double>(count), "puts", total);
  }
  for (const bool hit : {false, true}) {
    Run run(std::string("aliases, get one that ") + (hit ? "exists" : "does not exist") + " of " +
            std::to_string(count));
    std::uint64_t reads = 0;
    while (run.elapsed() < settings.seconds / 4) {
      const auto wanted = hit ? key(random.below(count)) : "missing" + std::to_string(random.next());
      run.call([&] {
        if (store->get(Family::aliases, wanted).value().has_value() != hit) std::abort();
      });
      ++reads;
    }
    run.report(static_cast<double>(reads), "gets", 0);
  }
  for (const bool hit : {false, true}) {
    Run run(std::string("aliases, get 100 at once that ") + (hit ? "exist" : "do not exist"));
    std::uint64_t reads = 0;
    std::vector<std::optional<std::string>> values;
    while (run.elapsed() < settings.seconds / 4) {
      std::vector<std::string> wanted;
      for (int i = 0; i < 100; ++i)
        wanted.push_back(hit ? key(random.below(count)) : "missing" + std::to_string(random.next()));
      const std::vector<std::string_view> views(wanted.begin(), wanted.end());
      run.call([&] { store->get_many(Family::aliases, views, values).value(); });
      reads += 100;
    }
    run.report(static_cast<double>(reads), "gets", 0);
  }
}

/// A backlog of 2 GB in blocks: filled, read at random, in order and against it, and opened again.
void blocks(const Settings& settings) {
  Random random(4);
  const Scratch scratch(settings);
  auto store = open_store(scratch / "db");
  const auto block = task_like(12 << 10, random);
  constexpr std::uint64_t count = 160'000;
  {
    Run run("blocks, put 12 KiB, not logged, then flush");
    Write write;
    for (std::uint64_t i = 0; i < count; ++i) {
      write.put(Family::blocks, key_of(i, 1), block);
      if (i % 8 != 7) continue;
      run.call([&] { store->write_derived(write).value(); });
      write.clear();
    }
    store->flush_derived().value();
    run.report(count, "blocks", static_cast<double>(count * block.size()));
  }
  {
    Run run("blocks, get one of 160,000 at random");
    std::uint64_t reads = 0;
    while (run.elapsed() < settings.seconds / 4) {
      const auto key = key_of(random.below(count), 1);
      run.call([&] {
        if (!store->get(Family::blocks, key).value()) std::abort();
      });
      ++reads;
    }
    run.report(static_cast<double>(reads), "gets", static_cast<double>(reads * block.size()));
  }
  for (const bool back : {false, true}) {
    Run run(back ? "blocks, scan all against the order" : "blocks, scan all in order");
    std::uint64_t seen = 0;
    const auto visit = [&](auto, auto) { return ++seen, true; };
    (back ? store->scan_back(Family::blocks, "", "", visit) : store->scan(Family::blocks, "", "", visit)).value();
    run.report(static_cast<double>(seen), "blocks", static_cast<double>(seen * block.size()));
  }
  {
    store.reset();
    Run run("blocks, open the store with 2 GB");
    run.call([&] { store = open_store(scratch / "db"); });
    run.report(1, "opens", 0);
  }
}

/// What an empty store costs while nothing happens.
void idle(const Settings& settings) {
  const Scratch scratch(settings);
  const auto before = rss_mib();
  const auto store = open_store(scratch / "db");
  Run run("idle, nothing written; rss before " + std::to_string(static_cast<int>(before)) + " MiB");
  std::this_thread::sleep_for(std::chrono::seconds(2));
  run.report(0, "calls", 0);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  const std::map<std::string_view, std::function<void()>> scenarios = {
      {"1 idle", [&] { idle(settings); }},
      {"2 raw", [&] { raw(settings); }},
      {"3 commit",
       [&] {
         commits(settings, Sync::disk, "disk");
         commits(settings, Sync::flush_to_os, "process");
       }},
      {"4 engine",
       [&] {
         for (const std::uint64_t window : {32UL << 20, 128UL << 20}) {
           for (const std::size_t group : {32768UL, 262144UL}) engine(settings, group, window, 0);
         }
         engine(settings, 65536, 64 << 20, 64 * mib);
       }},
      {"5 blocks", [&] { blocks(settings); }},
      {"6 aliases", [&] { aliases(settings); }},
  };
  std::vector<std::string> wanted;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--seconds" && i + 1 < argc) {
      settings.seconds = std::strtod(argv[++i], nullptr);
    } else if (word == "--directory" && i + 1 < argc) {
      settings.directory = argv[++i];
    } else {
      wanted.emplace_back(word);
    }
  }
  for (const auto& [name, run] : scenarios) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), name.substr(2)) != wanted.end()) run();
  }
}
