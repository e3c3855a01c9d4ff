#include <millrace/codec.hpp>

#include "tasks/file_inspection.hpp"
#include "tasks/handlers.hpp"

namespace millrace::tasks {

/// `file_processing`: `filename`, `path` or `file` names a regular file below the files folder.
JsonHandler file_task(const BuiltinOptions& options) {
  return
      [folder = options.files_dir, bytes_max = options.limits.file_bytes_max](const Json& payload, Context& context) {
        const Json* name = first_member(payload, {"filename", "path", "file"});
        if (name == nullptr || !name->is_string())
          throw InvalidPayload("payload.filename: the name of a file below the files folder is needed");
        const auto facts =
            value_or_fail<FileError>(inspect_file(folder, name->as_string(), bytes_max, context.stop_token()));
        return Json::object({{"filename", *name},
                             {"size", facts.bytes},
                             {"lines", facts.lines},
                             {"sha256", facts.sha256},
                             {"media_type", facts.media_type},
                             {"modified_at", Json::parse(encode(WallTime(facts.modified_at))).value()}});
      };
}

}  // namespace millrace::tasks
