#include "leaf_kernels.hpp"

#include <gemel/io/result_file.hpp>
#include <gemel/sim/lane_program.hpp>

#include <openssl/evp.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <new>
#include <numeric>
#include <stdexcept>

namespace gemel::io {

static_assert(std::endian::native == std::endian::little, "digests are over little-endian bytes");

namespace {

Leaf canonical(XXH128_hash_t hash) {
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, hash);
    Leaf leaf;
    std::copy(std::begin(bytes.digest), std::end(bytes.digest), leaf.begin());
    return leaf;
}

/// Of the machine.
const LeafKernels& leaf_kernels() {
    static const LeafKernels& chosen = []() -> const LeafKernels& {
        const LeafKernels* v3 = x86_64_v3_leaf_kernels();
        const bool has_v3 = sim::best_instruction_set() == sim::InstructionSet::x86_64_v3;
        return v3 != nullptr && has_v3 ? *v3 : *baseline_leaf_kernels();
    }();
    return chosen;
}

template <typename T>
Leaf digest_of_bytes(std::span<const T> values) {
    return leaf_kernels().digest(values.data(), values.size_bytes());
}

} // namespace

bool has_missing(std::span<const double> values) {
    return leaf_kernels().has_missing(values.data(), values.size());
}

void canonicalise_missing(std::span<double> values) {
    for (double& value : values)
        if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
}

Leaf leaf_digest(std::span<const double> values) {
    return digest_of_bytes(values);
}

Leaf leaf_digest(std::span<const std::int64_t> values) {
    return digest_of_bytes(values);
}

Leaf leaf_digest(std::span<const std::uint8_t> values) {
    return digest_of_bytes(values);
}

Leaf leaf_digest(std::span<const std::string> values) {
    std::string bytes;
    for (const std::string& value : values) {
        const std::uint64_t size = value.size();
        bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
        bytes += value;
    }
    return digest_of_bytes(std::span<const char>(bytes));
}

Leaf leaf_digest_of_numbers(std::uint64_t count) {
    const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                         XXH3_freeState);
    if (!state) throw std::bad_alloc();
    XXH3_128bits_reset(state.get());
    std::array<std::int64_t, 1024> numbers{};
    for (std::uint64_t first = 0; first < count; first += numbers.size()) {
        std::iota(numbers.begin(), numbers.end(), static_cast<std::int64_t>(first + 1));
        const std::uint64_t n = std::min<std::uint64_t>(numbers.size(), count - first);
        XXH3_128bits_update(state.get(), numbers.data(), n * sizeof(std::int64_t));
    }
    return canonical(XXH3_128bits_digest(state.get()));
}

/// SHA-256, by OpenSSL.
class Digest::State {
public:
    State() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
        require(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
    }

    void add(const void* bytes, std::size_t size) {
        require(EVP_DigestUpdate(context_.get(), bytes, size) == 1);
    }

    std::string hex() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
        unsigned size = 0;
        require(EVP_DigestFinal_ex(context_.get(), bytes.data(), &size) == 1);
        constexpr char digits[] = "0123456789abcdef";
        std::string text;
        for (unsigned i = 0; i < size; ++i) {
            text += digits[bytes[i] >> 4];
            text += digits[bytes[i] & 15];
        }
        return text;
    }

private:
    static void require(bool done) {
        if (!done) throw std::runtime_error("SHA-256 is not available in OpenSSL");
    }

    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

Digest::Digest(const std::string& heading) : state_(std::make_unique<State>()) {
    state_->add(heading.data(), heading.size());
}

Digest::~Digest() = default;

void Digest::add(std::span<const Leaf> leaves) {
    state_->add(leaves.data(), leaves.size_bytes());
}

void Digest::add(std::string_view bytes) {
    state_->add(bytes.data(), bytes.size());
}

std::string Digest::hex() {
    return state_->hex();
}

std::string digest_of(const std::string& heading, std::span<const Leaf> leaves) {
    Digest digest(heading);
    digest.add(leaves);
    return digest.hex();
}

std::string sha256_hex(std::string_view bytes) {
    return digest_of(std::string(bytes), {});
}

} // namespace gemel::io
