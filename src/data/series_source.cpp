#include "data/series_source.h"

#include "unroll/core/error.h"

namespace unroll::data {

std::shared_ptr<const Source> series_source(Recordings, const SeriesEncoding&) {
  throw ValueError("data", "files of series can't be read yet");
}

}  // namespace unroll::data
