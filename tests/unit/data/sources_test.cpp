// What the sources give.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "data/image_source.h"
#include "data/memory_source.h"
#include "data/open_source.h"
#include "data/pixel_statistics.h"
#include "data/sampler.h"
#include "data/sequence_source.h"
#include "support/expect_error.h"
#include "unroll/core/error.h"
#include "unroll/data/loader.h"
#include "unroll/data/sequence_tasks.h"

namespace unroll::data {
namespace {

using test::error_of;

/// `count` images of 4 x 5, no two alike, in 3 classes.
Dataset make_set(std::int64_t count, int first = 0) {
  Dataset set;
  set.name = set.place = "made up";
  set.images_sha256 = "images" + std::to_string(first);
  set.labels_sha256 = "labels";
  set.count = count;
  set.rows = 4;
  set.columns = 5;
  set.classes = 3;
  for (std::int64_t i = 0; i < 20 * count; ++i)
    set.images.push_back(static_cast<std::uint8_t>((i * 7 + first) % 256));
  for (std::int64_t i = 0; i < count; ++i) set.labels.push_back(static_cast<std::uint8_t>(i % 3));
  return set;
}

ImageSets make_sets() { return {make_set(7), make_set(4, 1)}; }

Examples batch_of(const Source& source, Split part, const std::vector<Pick>& picks,
                  DType dtype = DType::f32) {
  Examples examples;
  source.batch(part, picks, dtype, examples);
  return examples;
}

TEST(ImageSource, DescribesItself) {
  const auto source = image_source(make_sets(), {.input = {.form = spec::Form::pixels, .std = 2}});
  EXPECT_EQ(source->name(), "made up");
  EXPECT_EQ(source->input(), spec::InputSpec(spec::ImageInput{
                                 .form = spec::Form::pixels, .height = 4, .width = 5, .std = 2}));
  EXPECT_EQ(source->target().kind, TargetSpec::Kind::classes);
  EXPECT_EQ(source->target().size, 3);
  EXPECT_EQ(source->size(Split::train), 7);
  EXPECT_EQ(source->size(Split::test), 4);
  EXPECT_EQ(source->size(Split::validation), 0);
  EXPECT_EQ(source->sha256(Split::train), "images0+labels");
  EXPECT_EQ(source->sha256(Split::test), "images1+labels");
  EXPECT_EQ(source->sizes_text(),
            "made up train: images 7x4x5, labels 7\nmade up test: images 4x4x5, labels 4\n");
  EXPECT_EQ(source->note(), "");
  EXPECT_EQ(source->remark(), "");
}

TEST(ImageSource, SaysWhenAKnownSetIsNotWhatItsNameSays) {
  ImageSets sets = make_sets();
  sets.train.name = sets.test.name = "fashion-mnist";
  const auto source = image_source(std::move(sets));
  EXPECT_EQ(source->note(), "the files in made up are not those published as fashion-mnist");
  EXPECT_EQ(source->remark(), " (fashion-mnist, not MNIST)");
}

TEST(ImageSource, SaysWhenClassesHaveNoTrainingImage) {
  ImageSets sets = make_sets();  // with three classes
  sets.train.labels[0] = 255;
  sets.train.classes = 256;
  EXPECT_EQ(image_source(sets)->note(),
            "256 classes, 252 of them without a training image; is a label damaged?");
  // A label of the test images alone.
  sets = make_sets();
  sets.test.labels[0] = 3;
  sets.test.classes = 4;
  EXPECT_EQ(image_source(sets)->note(),
            "4 classes, 1 of them without a training image; is a label damaged?");
  // Classes above the largest label are no sign of damage.
  EXPECT_EQ(image_source(make_sets(), {.classes = 10})->note(), "");
}

TEST(ImageSource, TakesItsScaleFromTheTrainingImages) {
  ImageSets sets = make_sets();
  const Normalization scale = pixel_statistics(sets.train);
  const auto source =
      image_source(make_sets(), {.input = {.mean = 7, .std = 7}, .normalize = true});
  EXPECT_EQ(source->input(), spec::InputSpec(spec::ImageInput{
                                 .height = 4, .width = 5, .mean = scale.mean, .std = scale.std}));
  const auto values = pixel_values(scale);
  const std::vector<double> first = batch_of(*source, Split::test, {{0}}).inputs.to_vector();
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i], values[sets.test.images[i]]);

  std::ranges::fill(sets.train.images, 3);
  EXPECT_EQ(error_of<ValueError>([&] { image_source(sets, {.normalize = true}); }),
            "[data] all pixels of the training images in made up are the same; give other images, "
            "or --normalize none");
}

TEST(ImageSource, HasTheClassesOfBothPartsAndThoseThatWereAskedFor) {
  ImageSets sets = make_sets();
  sets.test.classes = 26;
  EXPECT_EQ(image_source(sets)->target().size, 26);
  EXPECT_EQ(image_source(sets, {.classes = 10})->target().size, 26);
  EXPECT_EQ(image_source(make_sets(), {.classes = 10})->target().size, 10);
}

TEST(ImageSource, ShapesOfEveryForm) {
  const Dataset set = make_set(7);
  Loader loader(set, {.batch_size = 2});
  const std::vector<double> images = (*loader.begin()).images.to_vector();
  const std::pair<spec::Form, Shape> expected[] = {{spec::Form::rows, {2, 4, 5}},
                                                   {spec::Form::pixels, {2, 20, 1}},
                                                   {spec::Form::flat, {2, 20}},
                                                   {spec::Form::image, {2, 1, 4, 5}}};
  for (const auto& [form, shape] : expected) {
    const auto source = image_source(make_sets(), {.input = {.form = form}});
    const Examples examples = batch_of(*source, Split::train, {{0}, {1}});
    EXPECT_EQ(examples.inputs.shape(), shape) << shape.str();
    EXPECT_EQ(examples.inputs.to_vector(), images);
    EXPECT_EQ(examples.targets.to_vector(), (std::vector<double>{0, 1}));
    EXPECT_TRUE(examples.lengths.empty());
  }
}

// The pixels of a public Loader with the same shifts, also where they are put in another order.
TEST(ImageSource, ShiftsTrainingImagesAsALoaderDoes) {
  const Dataset set = make_set(7);
  Generator generator(0);
  for (const DType dtype : {DType::f32, DType::f64}) {
    Loader loader(set, {.batch_size = 7,
                        .normalization = {.mean = 0.5, .std = 0.25},
                        .dtype = dtype,
                        .shift = 2,
                        .shift_seed = 9,
                        .generator = &generator});
    const std::vector<double> moved = (*loader.begin()).images.to_vector();
    ImageOptions options{.input = {.form = spec::Form::flat, .mean = 0.5, .std = 0.25}, .shift = 2};
    const auto plain = image_source(make_sets(), options);
    options.input.permutation = 3;
    const auto permuted = image_source(make_sets(), options);
    EXPECT_TRUE(plain->augments());
    Sampler sampler(7, {}, {.batch_size = 7, .draw_seed = 9});
    const auto given = sampler.next(1, generator);
    const std::vector<Pick> picks(given.begin(), given.end());
    EXPECT_EQ(batch_of(*plain, Split::train, picks, dtype).inputs.to_vector(), moved);
    const Generator order_of_pixels(3, Rng::native, 2);
    const auto order = Generator(order_of_pixels).permutation(20);
    const auto values = batch_of(*permuted, Split::train, picks, dtype).inputs.to_vector();
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(values[i], moved[i / 20 * 20 + static_cast<std::size_t>(order[i % 20])]);
    // Nothing moves in a test.
    const auto still =
        image_source(make_sets(), {.input = {.form = spec::Form::flat, .mean = 0.5, .std = 0.25}});
    EXPECT_EQ(batch_of(*plain, Split::test, {{1}, {0}}, dtype).inputs.to_vector(),
              batch_of(*still, Split::test, {{1}, {0}}, dtype).inputs.to_vector());
  }
}

TEST(ImageSource, RefusesWhatDoesNotFit) {
  EXPECT_THROW(image_source(make_sets(), {.shift = 4}), ValueError);
  EXPECT_THROW(image_source(make_sets(), {.input = {.std = 0}}), ValueError);
  ImageSets sets = make_sets();
  sets.test.labels.pop_back();
  EXPECT_THROW(image_source(sets), ValueError);
  EXPECT_EQ(error_of<ShapeError>([&] { image_source(make_sets(), {.input = {.width = 6}}); }),
            "[eval] images of 4x5 have 5 pixels a row, the model reads 6");
}

TEST(MemorySource, GivesTheSequencesOfTheTasks) {
  for (const std::string name : {"adding", "copy"}) {
    const auto source = memory_source(name, {.length = 12, .seed = 5});
    const auto make = name == "adding" ? adding : copying;
    EXPECT_EQ(source->size(Split::train), Source::endless);
    EXPECT_EQ(source->size(Split::test), 1000);
    const auto rows = [](const Tensor& x, std::int64_t n) {
      return x.select(0, n).contiguous().to_vector();
    };
    for (const Split part : {Split::train, Split::test})
      for (const DType dtype : {DType::f32, DType::f64}) {
        // The test part is that of seed 0, whatever the seed.
        const SequenceTask task{
            .length = 12, .seed = part == Split::train ? 5u : 0u, .split = part, .dtype = dtype};
        const auto [inputs, targets] = make(task, 0, 10);
        const Examples examples = batch_of(*source, part, {{7}, {2}, {9}}, dtype);
        for (const auto& [n, k] : {std::pair(0, 7), {1, 2}, {2, 9}}) {
          EXPECT_EQ(rows(examples.inputs, n), rows(inputs, k));
          EXPECT_EQ(rows(examples.targets, n), rows(targets, k));
        }
      }
    EXPECT_THROW(memory_source(name, {.length = 0}), ValueError);
  }
}

TEST(MemorySource, DescribesItself) {
  const auto adding = memory_source("adding", {.length = 12});
  EXPECT_EQ(adding->input(), spec::InputSpec(spec::SeriesInput{.features = 2, .steps = 12}));
  EXPECT_EQ(adding->target().kind, TargetSpec::Kind::values);
  EXPECT_EQ(adding->target().tolerance, 0.04);
  EXPECT_EQ(adding->sizes_text(),
            "adding: made from random numbers, sequences of 12 steps of 2 numbers; 1000 are for "
            "testing\n");
  const auto copy = memory_source("copy", spec::SeriesInput{.features = 10, .steps = 32});
  EXPECT_EQ(copy->input(), spec::InputSpec(spec::SeriesInput{.features = 10, .steps = 32}));
  EXPECT_EQ(copy->target().kind, TargetSpec::Kind::step_classes);
  EXPECT_EQ(copy->target().size, 8);
  EXPECT_EQ(copy->sha256(Split::train), "");
}

// In Python, with philox4x32-10 as in split_test.cpp: the words of images 0, 3 and 6 (class 0), 1
// and 4, 2 and 5 are, in ascending order within a class, 6 0 3; 4 1; 5 2. Their places are 1/6,
// 1/2; 1/4; 1/4. So two of seven are 6 and then 4, whose word is smaller than that of 5.
TEST(ImageSource, TakesAValidationPart) {
  const ImageOptions options{.normalize = true, .validate = "0.3"};
  const auto source = image_source(make_sets(), options);
  EXPECT_EQ(source->size(Split::train), 5);
  EXPECT_EQ(source->size(Split::validation), 2);
  EXPECT_EQ(source->size(Split::test), 4);
  EXPECT_FALSE(source->tests_while_training());
  EXPECT_EQ(source->sizes_text(),
            "made up train: images 5x4x5, labels 5\n"
            "made up validation: images 2x4x5, labels 2\n"
            "made up test: images 4x4x5, labels 4\n");
  const auto whole =
      image_source(make_sets(), {.input = std::get<spec::ImageInput>(source->input())});
  const auto rows_of = [](const Source& from, Split part, const std::vector<Pick>& picks) {
    return batch_of(from, part, picks).inputs.to_vector();
  };
  EXPECT_EQ(rows_of(*source, Split::validation, {{0}, {1}}),
            rows_of(*whole, Split::train, {{4}, {6}}));
  EXPECT_EQ(rows_of(*source, Split::train, {{0}, {1}, {2}, {3}, {4}}),
            rows_of(*whole, Split::train, {{0}, {1}, {2}, {3}, {5}}));
  // The scale is that of the training part.
  Dataset training = make_set(7);
  training.count = 5;
  training.images.erase(training.images.begin() + 120, training.images.end());
  training.images.erase(training.images.begin() + 80, training.images.begin() + 100);
  EXPECT_EQ(std::get<spec::ImageInput>(source->input()).mean, pixel_statistics(training).mean);
  EXPECT_EQ(std::get<spec::ImageInput>(source->input()).std, pixel_statistics(training).std);

  const auto both = source->with_validation();
  EXPECT_EQ(both->size(Split::train), 7);
  EXPECT_EQ(both->size(Split::validation), 0);
  EXPECT_EQ(both->input(), source->input());
  EXPECT_EQ(both->sha256(Split::train), "images0+labels");
  EXPECT_EQ(whole->with_validation(), nullptr);
  EXPECT_EQ(
      error_of<ValueError>([] { image_source(make_sets(), {.validate = "groups:7"}); }),
      "[validate] \"groups:7\", expected a share of the training images such as 0.1, or none");
}

TEST(ImageSource, PutsNoiseInTheTestPart) {
  const auto source = image_source(make_sets(), {.test_noise = 3}),
             plain = image_source(make_sets());
  EXPECT_EQ(source->sha256(Split::train), plain->sha256(Split::train));
  EXPECT_NE(source->sha256(Split::test), plain->sha256(Split::test));
  EXPECT_EQ(source->target().size, plain->target().size);
  const std::vector<Pick> all = {{0}, {1}, {2}, {3}};
  EXPECT_EQ(batch_of(*source, Split::train, all).inputs.to_vector(),
            batch_of(*plain, Split::train, all).inputs.to_vector());
  EXPECT_NE(batch_of(*source, Split::test, all).inputs.to_vector(),
            batch_of(*plain, Split::test, all).inputs.to_vector());
}

TEST(SequenceSource, PadsAndTellsLengths) {
  const Sequences train{2, {3, 1, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {1, 0, 2}},
      test{2, {1}, {1, 2}, {0}};
  const auto source = sequence_source("numbers", train, test, 3);
  EXPECT_EQ(source->input(), spec::InputSpec(spec::SeriesInput{.features = 2}));
  EXPECT_EQ(source->lengths(Split::train)[2], 2);
  const Examples examples = batch_of(*source, Split::train, {{2}, {1}});
  EXPECT_EQ(examples.inputs.shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(examples.inputs.to_vector(), (std::vector<double>{9, 10, 11, 12, 7, 8, 0, 0}));
  EXPECT_EQ(examples.targets.to_vector(), (std::vector<double>{2, 0}));
  EXPECT_EQ(examples.lengths, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(source->sizes_text(),
            "numbers train: 3 sequences of 1 to 3 steps of 2 numbers\n"
            "numbers test: 1 sequences of 1 to 1 steps of 2 numbers\n");
  EXPECT_EQ(error_of<ValueError>([&] { sequence_source("numbers", train, test, 2); }),
            "[data] sequence 2 has label 2, expected 0 to 1");
  EXPECT_THROW(sequence_source("numbers", train, {1, {1}, {1}, {0}}, 3), ShapeError);
}

TEST(OpenSource, FindsTheKindByTheName) {
  EXPECT_EQ(open_source("adding", {.memory = {.length = 8}})->input(),
            spec::InputSpec(spec::SeriesInput{.features = 2, .steps = 8}));
  SourceOptions options;
  options.images.shift = 1;
  std::string wanted;
  options.find_images = [&](const std::string& name) {
    wanted = name;
    return make_sets();
  };
  EXPECT_TRUE(open_source("kmnist", options)->augments());
  EXPECT_EQ(wanted, "kmnist");
  // A model that is to be tested says how it reads.
  options.model = spec::ImageInput{.form = spec::Form::flat, .height = 4, .width = 5};
  const auto flat = open_source("kmnist", options);
  EXPECT_FALSE(flat->augments());
  EXPECT_EQ(flat->input(), *options.model);
  options.model = spec::VectorInput{.features = 20};
  EXPECT_THROW(open_source("kmnist", options), ShapeError);
}

}  // namespace
}  // namespace unroll::data
