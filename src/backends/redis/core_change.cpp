#include <algorithm>

#include "backends/redis/core.hpp"
#include "backends/redis/scripts.hpp"
#include "domain/rules.hpp"

namespace millrace::redis {
namespace {

/// Somebody else was faster so many times in a row: something is wrong.
constexpr int rounds_max = 50;

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}
std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}
void append(std::string& out, const Fingerprint& fingerprint) {
  append_big_endian(out, fingerprint.high, 8);
  append_big_endian(out, fingerprint.low, 8);
}
Fingerprint fingerprint_at(std::string_view bytes) {
  return {read_big_endian(bytes.substr(0, 8)), read_big_endian(bytes.substr(8, 8))};
}

/// 12 bits that tell our own ids from made-up ones.
std::uint32_t check_bits(Number number, std::int64_t created_at) {
  auto mixed = number * 0x9e3779b97f4a7c15ULL ^ static_cast<std::uint64_t>(created_at) * 0xbf58476d1ce4e5b9ULL;
  mixed ^= mixed >> 29;
  return static_cast<std::uint32_t>(mixed * 0x94d049bb133111ebULL >> 52);
}

}  // namespace

std::string IdHold::encode() const {
  std::string bytes_out;
  append_big_endian(bytes_out, queue, 2);
  bytes_out += member(number);
  append(bytes_out, fingerprint);
  if (final_status != 0) bytes_out.push_back(static_cast<char>(final_status));
  return bytes_out;
}

std::optional<IdHold> IdHold::decode(const std::string& bytes) {
  if (bytes.size() != 30 && bytes.size() != 31) return std::nullopt;
  const std::string_view view(bytes);
  IdHold hold;
  hold.reserved_at = static_cast<std::int64_t>(read_big_endian(view.substr(0, 6)));
  hold.queue = static_cast<std::uint16_t>(read_big_endian(view.substr(6, 2)));
  hold.number = *number_of(view.substr(8, 6));
  hold.fingerprint = fingerprint_at(view.substr(14));
  if (bytes.size() == 31) hold.final_status = static_cast<std::uint8_t>(bytes[30]);
  hold.bytes = bytes;
  return hold;
}

std::string KeyHold::encode() const {
  std::string bytes;
  append(bytes, fingerprint);
  if (final_status == 0) return bytes;
  bytes.push_back(static_cast<char>(final_status));
  return bytes + task_id;
}

std::optional<KeyHold> KeyHold::decode(const std::string& bytes) {
  if (bytes.size() < 22) return std::nullopt;
  const std::string_view view(bytes);
  KeyHold hold;
  hold.number = *number_of(view.substr(0, 6));
  hold.fingerprint = fingerprint_at(view.substr(6));
  if (bytes.size() == 22) return hold;
  hold.final_status = static_cast<std::uint8_t>(bytes[22]);
  hold.task_id = bytes.substr(23);
  return hold;
}

TaskId Core::id_of(const Queue& queue, const TaskState& state) const {
  const auto options = state.options();
  if (!options.task_id.empty()) return TaskId(options.task_id);
  OwnId own;
  own.seq = state.task.number;
  own.created_at = state.head().created_at;
  own.random = static_cast<std::uint32_t>(queue.number) << 12 | check_bits(own.seq, own.created_at);
  return TaskId(to_text(own));
}

// ---- names of tasks whose records go --------------------------------------------------------------------------------

/// The id and the key of a task that goes are held until their window ends, and say what became of it.
std::vector<Command> Core::names_gone(const Changing& changing) {
  std::vector<Command> commands;
  const auto& state = changing.state;
  if (!state.head().named) return commands;
  const auto options = state.options();
  const auto left = state.head().created_at + options.idempotency_ttl.count() - server_now();
  const auto hold = [&](std::string key, std::string value) {
    if (left <= 0) {
      commands.emplace_back("DEL", std::move(key));
    } else {
      commands.emplace_back("SET", std::move(key), std::move(value), "PX", left);
    }
  };
  // A waiting task that an operator took away counts as cancelled for whoever submits it again.
  const auto status =
      static_cast<std::uint8_t>(is_final(state.head().status) ? state.head().status : Status::cancelled);
  const auto fingerprint = fingerprint_of(type_name(state.head().type), changing.queue->name, payload_of(state));
  if (!options.task_id.empty()) {
    IdHold gone{0, changing.queue->number, state.task.number, fingerprint, status, {}};
    hold(id_key(options.task_id), std::string(6, '\0') + gone.encode());
  }
  if (!options.idempotency_key.empty()) {
    KeyHold gone{state.task.number, fingerprint, status, id_of(*changing.queue, state).str()};
    hold(changing.queue->keys.idempotency(options.idempotency_key), member(state.task.number) + gone.encode());
  }
  return commands;
}

/// The record did not go after all.
std::vector<Command> Core::names_back(const Changing& changing) {
  std::vector<Command> commands;
  const auto& state = changing.state;
  if (!state.head().named) return commands;
  const auto options = state.options();
  const auto fingerprint = fingerprint_of(type_name(state.head().type), changing.queue->name, payload_of(state));
  if (!options.task_id.empty()) {
    IdHold there{0, changing.queue->number, state.task.number, fingerprint, 0, {}};
    commands.emplace_back("SET", id_key(options.task_id), std::string(6, '\0') + there.encode());
  }
  if (!options.idempotency_key.empty()) {
    KeyHold there{state.task.number, fingerprint, 0, {}};
    commands.emplace_back("SET", changing.queue->keys.idempotency(options.idempotency_key),
                          member(state.task.number) + there.encode());
  }
  return commands;
}

// ---- changing -------------------------------------------------------------------------------------------------------

/// Messages tell other gateways; what this one did itself it knows at once.
void Core::mark_ready(Queue& queue, std::uint16_t type) {
  auto* const line = queue.line(type);
  if (line == nullptr) return;
  line->may_be_ready = true;
  ++line->times_told;
  dispatch();
}

void Core::note_due(Queue& queue, const Change& change, std::int64_t engine) {
  if (change.removes) return;
  if (change.head.status == Status::queued) mark_ready(queue, change.head.type);
  if (change.at == Change::At::from_now) due_at(queue, engine + change.from_now.count());
  if (change.lease) due_at(queue, engine + change.lease->count());
  if (change.patience) due_at(queue, engine + change.patience->count());
  if (change.look_at && *change.look_at != 0) due_at(queue, *change.look_at);
  if (change.look_after) due_at(queue, engine + change.look_after->count());
}

Task<Result<void>> Core::change(std::vector<Changing*> tasks) {
  for (int round = 0; !tasks.empty(); ++round) {
    if (round == rounds_max) co_return Error{ErrorCode::unavailable, "others change these tasks all the time"};
    struct Batch {
      LineSet lines = {};
      std::vector<Change> changes = {};
      std::vector<Changing*> tasks = {};
      Queue* queue = nullptr;
    };
    std::vector<Batch> batches;
    std::map<Queue*, std::size_t> open;
    std::vector<Command> names;
    for (auto* const changing : tasks) {
      const auto found = open.find(changing->queue);
      if (found == open.end() || batches[found->second].changes.size() == items_max) {
        open[changing->queue] = batches.size();
        batches.emplace_back().queue = changing->queue;
      }
      auto& batch = batches[open[changing->queue]];
      auto change = changing->judge(changing->state, batch.lines);
      if (!change) continue;
      if (change->removes && !changing->keeps_names)
        for (auto& command : names_gone(*changing)) names.push_back(std::move(command));
      batch.changes.push_back(std::move(*change));
      batch.tasks.push_back(changing);
    }
    std::erase_if(batches, [](const Batch& batch) { return batch.changes.empty(); });
    if (!names.empty()) {
      auto named = co_await link_.call_all(std::move(names));
      for (auto& answer : named)
        if (!answer) co_return std::move(answer).error();
    }
    std::vector<ScriptRun> runs;
    for (const auto& batch : batches)
      runs.emplace_back(apply_script(), apply_call(scope(*batch.queue), names_of(batch.lines), batch.changes));
    if (runs.empty()) break;
    auto answers = co_await link_.run_all(std::move(runs));
    tasks.clear();
    std::vector<Command> back;
    for (std::size_t i = 0; i < batches.size(); ++i) {
      auto& batch = batches[i];
      if (!answers[i]) co_return std::move(answers[i]).error();
      auto applied = read_applied(*answers[i], batch.changes);
      if (!applied) co_return std::move(applied).error();
      saw_time(applied->wall);
      for (std::size_t k = 0; k < batch.tasks.size(); ++k) {
        auto& changing = *batch.tasks[k];
        auto& made = batch.changes[k];
        auto& answer = applied->changes[k];
        if (answer.kind == Changed::Kind::gone) {
          changing.gone = true;
        } else if (answer.kind == Changed::Kind::done) {
          changing.changed = true;
          note_due(*batch.queue, made, applied->engine);
          if (made.removes) continue;
          changing.state.task.head = made.head;
          ++changing.state.task.head.revision;
          if (made.content) changing.state.task.content = *made.content;
          if (made.detail)
            if (auto detail = TaskDetail::decode(*made.detail)) changing.state.detail = std::move(*detail);
        } else {
          auto detail = TaskDetail::decode(answer.detail);
          if (!detail) co_return Error{ErrorCode::corrupt, "redis keeps a detail that is none of ours"};
          changing.state.task = std::move(answer.now);
          changing.state.detail = std::move(*detail);
          if (made.removes && !changing.keeps_names)
            for (auto& command : names_back(changing)) back.push_back(std::move(command));
          tasks.push_back(&changing);
        }
      }
    }
    if (!back.empty()) {
      auto named = co_await link_.call_all(std::move(back));
      for (auto& answer : named)
        if (!answer) co_return std::move(answer).error();
    }
  }
  co_return Result<void>();
}

// ---- finding --------------------------------------------------------------------------------------------------------

/// Reads what stands beside records, and payloads that are kept apart, which fingerprints need.
Task<Result<void>> Core::read_details(std::vector<TaskState*> states, std::vector<Queue*> queues) {
  std::vector<Command> commands;
  std::vector<std::pair<std::size_t, bool>> wanted;  // which, and whether it is its payload
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto field = member(states[i]->task.number);
    if (states[i]->head().has_detail) {
      commands.emplace_back("HGET", queues[i]->keys.detail, field);
      wanted.emplace_back(i, false);
    }
    if (states[i]->head().payload_apart) {
      commands.emplace_back("HGET", queues[i]->keys.payloads, field);
      wanted.emplace_back(i, true);
    }
  }
  if (commands.empty()) co_return Result<void>();
  auto answers = co_await link_.call_all(std::move(commands));
  for (std::size_t k = 0; k < answers.size(); ++k) {
    if (!answers[k]) co_return std::move(answers[k]).error();
    auto& state = *states[wanted[k].first];
    if (wanted[k].second) {
      state.payload = std::move(answers[k]->text);
    } else {
      auto detail = TaskDetail::decode(answers[k]->text);
      if (!detail) co_return Error{ErrorCode::corrupt, "redis keeps a detail that is none of ours"};
      state.detail = std::move(*detail);
    }
  }
  co_return Result<void>();
}

std::string_view Core::payload_of(const TaskState& state) {
  return state.head().payload_apart ? std::string_view(state.payload) : state.options().payload;
}

/// Reads the records of those that have a place and were not found yet.
Task<Result<void>> Core::read_records(std::vector<Located>& found) {
  std::vector<Command> commands;
  std::vector<Located*> places;
  for (auto& place : found) {
    if (place.queue == nullptr || place.kind != Located::Kind::missing) continue;
    commands.emplace_back("HGET", place.queue->keys.metadata, member(place.state.task.number));
    places.push_back(&place);
  }
  auto answers = co_await link_.call_all(std::move(commands));
  for (std::size_t k = 0; k < answers.size(); ++k) {
    if (!answers[k]) co_return std::move(answers[k]).error();
    if (answers[k]->kind == Reply::Kind::nil) continue;
    auto task = stored(places[k]->state.task.number, *answers[k]);
    if (!task) co_return Error{ErrorCode::corrupt, "redis keeps a record that is none of ours"};
    places[k]->state.task = std::move(*task);
    places[k]->kind = Located::Kind::found;
  }
  co_return Result<void>();
}

Task<Result<std::vector<Located>>> Core::locate(std::vector<std::string> ids) {
  std::vector<Located> found(ids.size());
  // Ids of ours say where the task is.
  std::vector<std::optional<OwnId>> owns(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto own = parse_own_id(ids[i]);
    if (!own || (own->random & 0xfff) != check_bits(own->seq, own->created_at)) continue;
    const auto number = static_cast<std::uint16_t>(own->random >> 12);
    if (queue(number) == nullptr) {
      auto loaded = co_await load_names();
      if (!loaded) co_return std::move(loaded).error();
    }
    found[i].queue = queue(number);
    found[i].state.task.number = own->seq;
    owns[i] = own;
  }
  auto read = co_await read_records(found);
  if (!read) co_return std::move(read).error();
  std::vector<Command> commands;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto& place = found[i];
    const bool ours = place.kind == Located::Kind::found && place.state.head().created_at == owns[i]->created_at &&
                      place.state.options().task_id.empty();
    if (ours) continue;
    place = Located();
    commands.emplace_back("GET", id_key(ids[i]));
    places.push_back(i);
  }
  auto answers = co_await link_.call_all(std::move(commands));
  for (std::size_t k = 0; k < answers.size(); ++k) {
    if (!answers[k]) co_return std::move(answers[k]).error();
    auto& place = found[places[k]];
    const auto& own = owns[places[k]];
    auto hold = IdHold::decode(answers[k]->text);
    if (!hold) {
      // One of ours whose record was here not long ago.
      if (own && own->created_at + served_window.count() > server_now()) place.kind = Located::Kind::gone;
      continue;
    }
    place.hold = std::move(*hold);
    if (place.hold.final_status != 0) {
      place.kind = Located::Kind::gone;
      continue;
    }
    if (queue(place.hold.queue) == nullptr) {
      auto loaded = co_await load_names();
      if (!loaded) co_return std::move(loaded).error();
    }
    place.queue = queue(place.hold.queue);
    place.state.task.number = place.hold.number;
  }
  read = co_await read_records(found);
  if (!read) co_return std::move(read).error();
  std::vector<TaskState*> states;
  std::vector<Queue*> queues;
  for (auto& place : found) {
    if (place.kind != Located::Kind::found) continue;
    states.push_back(&place.state);
    queues.push_back(place.queue);
  }
  read = co_await read_details(std::move(states), std::move(queues));
  if (!read) co_return std::move(read).error();
  co_return Result<std::vector<Located>>(std::move(found));
}

}  // namespace millrace::redis
