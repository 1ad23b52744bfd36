#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Counter-based random numbers: every draw is a function of (seed, replicate, subject, purpose,
/// index) alone, so any subject can be drawn by itself, anywhere, in any order.
namespace gemel::sim {

/// Philox4x32-10 of Salmon et al. (2011), SC11, doi:10.1145/2063384.2063405.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// The 32-bit number of a purpose such as "eta/CL" (FNV-1a of the name). Two purposes with one
/// number are an error at load: whoever collects purposes checks them with PurposeSet.
std::uint32_t purpose_number(std::string_view purpose);

/// The 48-bit number of a subject that has a name, such as the ID of a data file (FNV-1a of the
/// text, folded). Two names with one number are an error at load.
std::uint64_t subject_number(std::string_view id);

/// The purposes of one study, each with its number.
/// Invariant: no two different names in it have one number.
class PurposeSet {
public:
    /// @returns the purpose's number; adding a name again is allowed
    /// @throws std::invalid_argument if another name has that number, naming both
    std::uint32_t add(const std::string& name);

private:
    std::map<std::uint32_t, std::string> names_;
};

/// Draws for one subject and one purpose. Cheap to make; a value, no hidden state but the position.
class RandomStream {
public:
    struct Key {
        std::uint64_t seed = 0;
        std::uint32_t replicate = 0; ///< 16 bits are used
        std::uint64_t subject = 0;   ///< 48 bits are used
    };
    /// @param index  first index: occasion or visit × 4096 + draw
    /// @throws std::invalid_argument if replicate or subject needs more bits than it has
    RandomStream(Key key, std::uint32_t purpose, std::uint32_t index = 0);

    double uniform();     ///< in (0, 1), 53 bits, never 0 or 1; moves on by one index
    double normal();      ///< inverse cumulative normal of uniform()
    double exponential(); ///< mean 1

private:
    Key key_;
    std::uint32_t purpose_;
    std::uint32_t index_;
};

/// The same draws for many subjects, side by side in lanes: number i of a column is the first of
/// RandomStream({seed, replicate, subjects[i]}, purpose, indices[i] + index), bit for bit. Columns
/// are [size()].
class RandomColumns {
public:
    /// @param indices  of each subject, as of an occasion; none: 0
    /// @throws std::invalid_argument if replicate or a subject needs more bits than it has, or
    /// there are not as many indices as subjects
    RandomColumns(std::uint64_t seed,
                  std::uint32_t replicate,
                  std::vector<std::uint64_t> subjects,
                  std::vector<std::uint32_t> indices = {});
    std::size_t size() const { return subjects_.size(); }

    void uniforms(std::uint32_t purpose, std::uint32_t index, double* u) const;
    void normals(std::uint32_t purpose, std::uint32_t index, double* z) const;
    void exponentials(std::uint32_t purpose, std::uint32_t index, double* x) const;

private:
    std::uint64_t seed_;
    std::uint32_t replicate_;
    std::vector<std::uint64_t> subjects_;
    std::vector<std::uint32_t> indices_;
};

/// The quantile of the standard normal distribution, p in (0, 1). Wichura (1988), AS 241, with our
/// own log, so that it gives the same bits everywhere. Relative error below 2e-15.
double normal_quantile(double p);
/// The standard normal distribution function, by our own erfc; the same bits everywhere.
double normal_probability(double z);
/// Of each number, in place; the bits of one at a time.
void normal_quantiles(std::span<double> p);
void normal_probabilities(std::span<double> z);

} // namespace gemel::sim
