#include "app/data_set_names.h"

#include "data/catalogue.h"
#include "data/source_traits.h"

namespace unroll::app {

std::vector<std::string_view> data_set_names() {
  std::vector<std::string_view> names = data::known_set_names();
  for (const data::SourceTraits& task : data::named_sources())
    if (!task.name.starts_with(".")) names.push_back(task.name);  // not the ending of a file
  return names;
}

}  // namespace unroll::app
