#include <gemel/pkpd/pilot.hpp>
#include <gemel/sim/random.hpp>

#include <cmath>
#include <stdexcept>

namespace gemel::pkpd {
namespace {

int next_prime(int after) {
    for (int candidate = after + 1;; ++candidate) {
        bool is_prime = candidate > 1;
        for (int d = 2; d * d <= candidate && is_prime; ++d)
            is_prime = candidate % d != 0;
        if (is_prime) return candidate;
    }
}

double effect_sd(const Model& model, int parameter, Level level) {
    for (const OmegaBlock& omega : model.omega)
        for (std::size_t i = 0; i < omega.of.size(); ++i)
            if (omega.level == level && omega.of[i] == parameter)
                return std::sqrt(omega.covariance[i * omega.of.size() + i]);
    const auto& effect = model.parameters[static_cast<std::size_t>(parameter)].effect(level);
    return effect ? effect->spread() : 0.0;
}

/// The typical patient's inputs, or none.
std::vector<double> typical(const Model& model) {
    try {
        return typical_inputs(model, {});
    } catch (const std::invalid_argument&) { // it names what is missing; here that is no mistake
        return {};
    }
}

} // namespace

std::vector<double> pilot_inputs(const Model& model, int n_subjects) {
    const std::vector<double> column = typical(model);
    std::vector<double> inputs;
    int prime = 1;
    for (std::size_t i = 0; i < column.size(); ++i) {
        const InputSource& source = model.inputs[i];
        const bool is_of_occasion = source.kind == InputSource::Kind::iov;
        if (source.kind != InputSource::Kind::eta && !is_of_occasion) {
            inputs.insert(inputs.end(), static_cast<std::size_t>(n_subjects), column[i]);
            continue;
        }
        prime = next_prime(prime);
        const double sd = effect_sd(
                         model, source.index, is_of_occasion ? Level::occasion : Level::subject),
                     root = std::sqrt(prime);
        for (int s = 0; s < n_subjects; ++s) {
            const double point = s * root - std::floor(s * root); // 0 only for s = 0
            inputs.push_back(s == 0 ? 0.0 : sd * sim::normal_quantile(point));
        }
    }
    return inputs;
}

} // namespace gemel::pkpd
