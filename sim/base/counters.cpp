#include <gemel/sim/assert.hpp>
#include <gemel/sim/counters.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace gemel::sim {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double two_to_64 = 18446744073709551616.0;

/// Bits of a number's exponent and the first eight of its fraction tell its bin.
constexpr int bin_shift = 52 - 8;

/// Bins of positive numbers from 0 up, of negative ones from −1 down: in the order of the numbers.
std::int32_t bin_of(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const auto magnitude = static_cast<std::int32_t>((bits & ~(1ull << 63)) >> bin_shift);
    return (bits >> 63) != 0 ? -1 - magnitude : magnitude;
}

/// Where a bin begins and ends, towards +inf.
std::pair<double, double> edges_of(std::int32_t bin) {
    const auto edge = [](std::int32_t magnitude) {
        return std::bit_cast<double>(static_cast<std::uint64_t>(magnitude) << bin_shift);
    };
    return bin < 0 ? std::pair{-edge(-bin), -edge(-1 - bin)} : std::pair{edge(bin), edge(bin + 1)};
}

bool is_one_value(double only) {
    return only == only;
}

} // namespace

FixedWeight FixedWeight::of(double weight) {
    GEMEL_ASSERT(weight >= 0.0 && weight < two_to_64, "a weight is in [0, 2^64)");
    const auto whole = static_cast<std::uint64_t>(weight);
    // Both steps are exact: the rest of a double, and its shift by 64 binary places.
    const double rest = weight - static_cast<double>(whole);
    return {whole, static_cast<std::uint64_t>(rest * two_to_64)};
}

FixedWeight& FixedWeight::operator+=(const FixedWeight& other) {
    const std::uint64_t sum = fraction + other.fraction;
    whole += other.whole + (sum < fraction ? 1 : 0);
    fraction = sum;
    return *this;
}

double FixedWeight::value() const {
    return static_cast<double>(whole) + static_cast<double>(fraction) / two_to_64;
}

/// Numbers next to each other in rank, evenly between low and high.
struct Counters::Run {
    double count = 0.0;
    double weight = 0.0;
    double low = 0.0, high = 0.0; ///< equal: all are this

    /// The k-th of them, from 0; its weight is weight/count.
    double value(double k) const {
        return low == high ? low : low + (high - low) * ((k + 0.5) / count);
    }
};

double Counters::min() const {
    return n_ > 0 ? min_ : nan;
}

double Counters::max() const {
    return n_ > 0 ? max_ : nan;
}

void Counters::add(double value, double weight) {
    if (value != value) {
        ++n_nan_;
        return;
    }
    value += 0.0; // −0 becomes 0: which of two equal numbers comes first must not show
    min_ = n_ > 0 ? std::min(min_, value) : value;
    max_ = n_ > 0 ? std::max(max_, value) : value;
    ++n_;
    weight_ += weight == 1.0 ? FixedWeight{1, 0} : FixedWeight::of(weight);
    if (is_exact()) {
        keep(value, weight);
        return;
    }
    spill();
    count(value, weight);
}

void Counters::add(std::span<const double> values) {
    std::size_t first = 0;
    while (first < values.size() && is_exact())
        add(values[first++]);
    count_each(values.subspan(first));
}

/// What add() does to each once there are bins. Pages met before are found without a search.
void Counters::count_each(std::span<const double> values) {
    constexpr std::size_t n_met = 32;
    Page* met[n_met] = {};
    std::uint64_t n = 0;
    for (const double given : values) {
        if (given != given) continue;
        const double value = given + 0.0;
        min_ = std::min(min_, value);
        max_ = std::max(max_, value);
        ++n;
        const Place place = place_of(value);
        Page*& at = met[static_cast<std::uint32_t>(place.page) % n_met];
        if (at == nullptr || at->number != place.page) at = &page(place.page);
        Bin& bin = at->bins[place.bin];
        bin.only = bin.count == 0 || bin.only == value ? value : nan;
        ++bin.count;
        if (at->weights) (*at->weights)[place.bin] += FixedWeight{1, 0};
    }
    n_ += n;
    n_nan_ += values.size() - n;
    weight_ += FixedWeight{n, 0};
}

void Counters::merge(const Counters& other) {
    n_nan_ += other.n_nan_;
    if (other.n_ == 0) return;
    min_ = n_ > 0 ? std::min(min_, other.min_) : other.min_;
    max_ = n_ > 0 ? std::max(max_, other.max_) : other.max_;
    n_ += other.n_;
    weight_ += other.weight_;
    if (is_exact()) {
        for (std::size_t i = 0; i < other.values_.size(); ++i)
            keep(other.values_[i], other.weights_.empty() ? 1.0 : other.weights_[i]);
        return;
    }
    spill();
    count_all(other);
}

void Counters::keep(double value, double weight) {
    if (weight != 1.0 && weights_.empty()) weights_.assign(values_.size(), 1.0);
    values_.push_back(value);
    if (weight != 1.0 || !weights_.empty()) weights_.push_back(weight);
}

/// From numbers to bins.
void Counters::spill() {
    for (std::size_t i = 0; i < values_.size(); ++i)
        count(values_[i], weights_.empty() ? 1.0 : weights_[i]);
    values_ = {};
    weights_ = {};
}

void Counters::count_all(const Counters& other) {
    for (std::size_t i = 0; i < other.values_.size(); ++i)
        count(other.values_[i], other.weights_.empty() ? 1.0 : other.weights_[i]);
    for (const auto& from : other.pages_)
        for (std::size_t bin = 0; bin < page_size; ++bin)
            if (from->bins[bin].count > 0)
                count(page(from->number),
                      bin,
                      from->bins[bin],
                      from->weights ? (*from->weights)[bin]
                                    : FixedWeight{from->bins[bin].count, 0});
}

Counters::Place Counters::place_of(double value) {
    const std::int32_t bin = bin_of(value);
    constexpr auto size = static_cast<std::int32_t>(page_size);
    const std::int32_t number = bin >= 0 ? bin / size : -1 - (-1 - bin) / size;
    return {number, static_cast<std::size_t>(bin - number * size)};
}

void Counters::count(double value, double weight) {
    const Place place = place_of(value);
    count(page(place.page),
          place.bin,
          Bin{1, value},
          weight == 1.0 ? FixedWeight{1, 0} : FixedWeight::of(weight));
}

void Counters::count(Page& to, std::size_t bin, const Bin& add, const FixedWeight& weight) {
    if (!to.weights && (weight.whole != add.count || weight.fraction != 0)) {
        to.weights = std::make_unique<std::array<FixedWeight, page_size>>();
        for (std::size_t i = 0; i < page_size; ++i)
            (*to.weights)[i] = {to.bins[i].count, 0};
    }
    Bin& sum = to.bins[bin];
    sum.only = sum.count == 0 || sum.only == add.only ? add.only : nan;
    sum.count += add.count;
    if (to.weights) (*to.weights)[bin] += weight;
}

Counters::Page& Counters::page(std::int32_t number) {
    const auto at = std::lower_bound(
        pages_.begin(),
        pages_.end(),
        number,
        [](const std::unique_ptr<Page>& page, std::int32_t n) { return page->number < n; });
    if (at != pages_.end() && (*at)->number == number) return **at;
    auto fresh = std::make_unique<Page>();
    fresh->number = number;
    return **pages_.insert(at, std::move(fresh));
}

std::vector<Counters::Run> Counters::kept_runs() const {
    std::vector<std::pair<double, double>> sorted;
    for (std::size_t i = 0; i < values_.size(); ++i)
        sorted.emplace_back(values_[i], weights_.empty() ? 1.0 : weights_[i]);
    std::sort(sorted.begin(), sorted.end());
    std::vector<Run> runs;
    for (const auto& [value, weight] : sorted)
        if (weight > 0.0) runs.push_back({1.0, weight, value, value});
    return runs;
}

std::vector<Counters::Run> Counters::runs() const {
    if (is_exact()) return kept_runs();
    std::vector<Run> runs;
    for (const auto& page : pages_)
        for (std::size_t i = 0; i < page_size; ++i) {
            const Bin& bin = page->bins[i];
            if (bin.count == 0) continue;
            auto [low, high] = edges_of(page->number * static_cast<std::int32_t>(page_size) +
                                        static_cast<std::int32_t>(i));
            if (is_one_value(bin.only)) low = high = bin.only;
            const auto count = static_cast<double>(bin.count);
            const double weight = page->weights ? (*page->weights)[i].value() : count;
            if (weight <= 0.0) continue;
            runs.push_back({count, weight, std::max(low, min_), std::min(high, max_)});
        }
    return runs;
}

double Counters::quantile(double p) const {
    GEMEL_ASSERT(p >= 0.0 && p <= 1.0, "a probability is in [0, 1]");
    const std::vector<Run> runs = this->runs();
    double total = 0.0;
    for (const Run& run : runs)
        total += run.weight;
    if (runs.empty()) return nan;
    // Positions from that of the first number; without weights they are 0, 1, …, n − 1.
    const double first = 0.5 * (runs.front().weight / runs.front().count);
    const double last = total - 0.5 * (runs.back().weight / runs.back().count);
    const double target = p * (last - first);

    double before = 0.0, position = 0.0, value = runs.front().value(0.0);
    for (const Run& run : runs) {
        const double each = run.weight / run.count;
        for (double k : {0.0, run.count - 1.0}) {
            const double next_position = before + each * (k + 0.5) - first;
            const double next = run.value(k);
            if (next_position >= target && next_position > position) {
                const double share = (target - position) / (next_position - position);
                if (share == 1.0 || next == value) return next;
                if (share == 0.0 || std::isinf(value)) return value;
                return std::isinf(next) ? next : value + share * (next - value);
            }
            position = next_position;
            value = next;
        }
        before += run.weight;
    }
    return value;
}

double Counters::quantile_error(double p, double effective_n) const {
    if (n_ < 2) return nan;
    const double half = std::sqrt(p * (1.0 - p) / effective_n);
    if (!(half > 0.0 && half <= std::min(p, 1.0 - p))) return nan; // nothing known beyond the ends
    return 0.5 * (quantile(p + half) - quantile(p - half));
}

} // namespace gemel::sim
