#include "base/lane_math.hpp"
#include "base/philox.hpp"
#include "columns/kernels.hpp"

#include <gemel/sim/random.hpp>

#include <algorithm>
#include <stdexcept>

namespace gemel::sim {
namespace {

constexpr std::uint64_t first_subject_too_large = std::uint64_t{1} << 48;
constexpr std::uint32_t first_replicate_too_large = 1u << 16;

void check_subject(std::uint64_t subject) {
    if (subject >= first_subject_too_large)
        throw std::invalid_argument("subject is " + std::to_string(subject) +
                                    "; less than 2^48 is expected");
}

void check_replicate(std::uint32_t replicate) {
    if (replicate >= first_replicate_too_large)
        throw std::invalid_argument("replicate is " + std::to_string(replicate) +
                                    "; less than 2^16 is expected");
}

} // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < n_philox_rounds; ++round) {
        const std::uint64_t a = std::uint64_t{philox_multipliers[0]} * counter[0];
        const std::uint64_t b = std::uint64_t{philox_multipliers[1]} * counter[2];
        counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0],
                   static_cast<std::uint32_t>(b),
                   static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1],
                   static_cast<std::uint32_t>(a)};
        key[0] += philox_key_steps[0];
        key[1] += philox_key_steps[1];
    }
    return counter;
}

std::uint32_t purpose_number(std::string_view purpose) {
    std::uint32_t hash = 2166136261u;
    for (char c : purpose)
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return hash;
}

std::uint64_t subject_number(std::string_view id) {
    std::uint64_t hash = 14695981039346656037u;
    for (char c : id)
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    return (hash ^ (hash >> 48)) & (first_subject_too_large - 1);
}

std::uint32_t PurposeSet::add(const std::string& name) {
    const std::uint32_t number = purpose_number(name);
    const auto [known, is_new] = names_.emplace(number, name);
    if (!is_new && known->second != name)
        throw std::invalid_argument("the names '" + known->second + "' and '" + name +
                                    "' would share their random numbers; rename one of them");
    return number;
}

RandomStream::RandomStream(Key key, std::uint32_t purpose, std::uint32_t index)
    : key_(key),
      purpose_(purpose),
      index_(index) {
    check_subject(key.subject);
    check_replicate(key.replicate);
}

double RandomStream::uniform() {
    const auto words = philox4x32(
        {static_cast<std::uint32_t>(key_.subject),
         static_cast<std::uint32_t>(key_.subject >> 32) | (key_.replicate << 16),
         purpose_,
         index_++},
        {static_cast<std::uint32_t>(key_.seed), static_cast<std::uint32_t>(key_.seed >> 32)});
    // 52 bits and a half: an odd multiple of 2^-53, exact in a double, never 0 and never 1.
    const std::uint64_t bits = (std::uint64_t{words[1]} << 32 | words[0]) >> 12;
    return (static_cast<double>(bits) + 0.5) * 0x1p-52;
}

double RandomStream::normal() {
    return normal_quantile(uniform());
}

double RandomStream::exponential() {
    return -lane_log(uniform());
}

RandomColumns::RandomColumns(std::uint64_t seed,
                             std::uint32_t replicate,
                             std::vector<std::uint64_t> subjects,
                             std::vector<std::uint32_t> indices)
    : seed_(seed),
      replicate_(replicate),
      subjects_(std::move(subjects)),
      indices_(std::move(indices)) {
    check_replicate(replicate);
    if (!subjects_.empty()) check_subject(*std::max_element(subjects_.begin(), subjects_.end()));
    if (!indices_.empty() && indices_.size() != subjects_.size())
        throw std::invalid_argument("indices are " + std::to_string(indices_.size()) + " for " +
                                    std::to_string(subjects_.size()) + " subjects");
}

void RandomColumns::uniforms(std::uint32_t purpose, std::uint32_t index, double* u) const {
    columns::kernel_sets().best().uniforms({seed_, replicate_, purpose, index},
                                         subjects_.data(),
                                         indices_.empty() ? nullptr : indices_.data(),
                                         subjects_.size(),
                                         u);
}

void RandomColumns::normals(std::uint32_t purpose, std::uint32_t index, double* z) const {
    uniforms(purpose, index, z);
    normal_quantiles({z, size()});
}

void RandomColumns::exponentials(std::uint32_t purpose, std::uint32_t index, double* x) const {
    uniforms(purpose, index, x);
    columns::kernel_sets().best().exponential_quantiles(x, size());
}

void normal_quantiles(std::span<double> p) {
    columns::kernel_sets().best().normal_quantiles(p.data(), p.size());
}

void normal_probabilities(std::span<double> z) {
    columns::kernel_sets().best().normal_probabilities(z.data(), z.size());
}

} // namespace gemel::sim
