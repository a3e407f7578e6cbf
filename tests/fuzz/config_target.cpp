// config.json: what is read can be written and read again.
#include "target.h"
#include "train/config.h"

namespace unroll::fuzz {

void config(Bytes bytes) {
  train::LoadedConfig loaded;
  if (!accepts([&] { loaded = train::config_from_json(text_of(bytes), "config.json"); })) return;
  const std::string text = train::to_json(loaded.config, loaded.provenance);
  const train::LoadedConfig again = train::config_from_json(text, "config.json");
  require(train::to_json(again.config, again.provenance) == text,
          "a configuration that was read, written and read again is the same");
}

}  // namespace unroll::fuzz
