#include "data/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/file.h"
#include "core/suggest.h"
#include "data/sha256.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

KnownFile file(Split split, Part part, std::uint64_t size, std::string sha256,
               std::string content_sha256) {
  return {split, part, file_name(split, part), size, std::move(sha256), std::move(content_sha256)};
}

}  // namespace

std::string file_name(Split split, Part part) {
  return fmt::format("{}-{}", split == Split::train ? "train" : "t10k",
                     part == Part::images ? "images-idx3-ubyte" : "labels-idx1-ubyte");
}

const std::vector<KnownSet>& catalogue() {
  static const std::vector<KnownSet> sets{
      {"mnist",
       "MNIST",
       "MNIST database of handwritten digits",
       "CC BY-SA 3.0",
       "Yann LeCun and Corinna Cortes",
       {"https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/"},
       60000,
       10000,
       28,
       28,
       10,
       {file(Split::train, Part::images, 9912422,
             "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
             "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        file(Split::train, Part::labels, 28881,
             "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
             "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        file(Split::test, Part::images, 1648877,
             "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
             "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        file(Split::test, Part::labels, 4542,
             "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
             "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2")}},
      // The mirror only has plain HTTP: the hashes are the only protection.
      {"fashion-mnist",
       "FashionMNIST",
       "Fashion-MNIST, articles of clothing in the format of MNIST",
       "MIT",
       "Zalando SE",
       {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"},
       60000,
       10000,
       28,
       28,
       10,
       {file(Split::train, Part::images, 26421880,
             "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
             "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        file(Split::train, Part::labels, 29515,
             "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
             "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        file(Split::test, Part::images, 4422102,
             "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
             "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        file(Split::test, Part::labels, 5148,
             "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
             "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34")}},
      // Plain HTTP, too. Only the hashes of the .gz files are published.
      {"kmnist",
       "KMNIST",
       "KMNIST, cursive Japanese characters in the format of MNIST",
       "CC BY-SA 4.0",
       "\"KMNIST Dataset\" (created by CODH), adapted from \"Kuzushiji Dataset\" (created by NIJL "
       "and "
       "others), doi:10.20676/00000341",
       {"http://codh.rois.ac.jp/kmnist/dataset/kmnist/"},
       60000,
       10000,
       28,
       28,
       10,
       {file(Split::train, Part::images, 18165135,
             "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4", ""),
        file(Split::train, Part::labels, 29497,
             "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17", ""),
        file(Split::test, Part::images, 3041136,
             "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5", ""),
        file(Split::test, Part::labels, 5120,
             "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c", "")}}};
  return sets;
}

std::uint64_t download_size(const KnownSet& set) {
  std::uint64_t bytes = 0;
  for (const KnownFile& file : set.files) bytes += file.size;
  return bytes;
}

std::vector<std::string_view> known_set_names() {
  std::vector<std::string_view> names;
  for (const KnownSet& set : catalogue()) names.push_back(set.name);
  return names;
}

const KnownSet* find_known_set(std::string_view name) {
  const auto found = std::ranges::find(catalogue(), name, &KnownSet::name);
  return found == catalogue().end() ? nullptr : &*found;
}

const KnownSet& known_set(std::string_view name) {
  if (const KnownSet* set = find_known_set(name)) return *set;
  const std::vector<std::string_view> names = known_set_names();
  throw ValueError("data", fmt::format("no data set is called \"{}\"; known are {}{}", name,
                                       fmt::join(names, ", "), did_you_mean(name, names)));
}

bool is_as_published(const KnownFile& known, const std::string& path,
                     std::string_view content_sha256) {
  if (!known.content_sha256.empty()) return known.content_sha256 == content_sha256;
  std::error_code missing;
  return std::filesystem::file_size(path, missing) == known.size && !missing &&
         sha256(read_file("data", path, known.size)) == known.sha256;
}

Identity identify(const std::string& path, std::string_view content_sha256) {
  for (const KnownSet& set : catalogue())
    for (const KnownFile& known : set.files)
      if (is_as_published(known, path, content_sha256)) return {&set, &known};
  return {};
}

}  // namespace unroll::data
