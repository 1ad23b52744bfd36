#pragma once

#include <gemel/learners/fit.hpp>

#include <cstdint>
#include <span>
#include <vector>

/// A fit's data as estimators see them: numbers by subject, no words.
namespace gemel::learners {

/// Whether estimates rest on it: a value, or a limit that it is beyond.
bool is_used(const FitSetup& setup, const pkpd::DataObservation& observation);

/// One measured value, and where its prediction is found.
struct Measurement {
    int output = 0;              ///< of the model
    std::size_t place = 0;       ///< of FitData::outputs
    std::size_t sample = 0;      ///< of the subject's samples
    std::size_t observation = 0; ///< of the data set's subject
    double time = 0.0;
    /// In the output's unit; its logarithm where the error is of law lognormal; likewise limits.
    double value = 0.0;
    int censoring = 0; ///< 1: below `limit`; −1: above; 0: a value
    double limit = 0.0;
    double other_limit = 0.0; ///< NaN: none
};

struct FitSubject {
    const sim::SubjectTimeline* timeline = nullptr;
    std::size_t first_row = 0, n_rows = 0; ///< of the cohort's inputs
    std::vector<std::uint32_t> occasions;  ///< [n_rows]
    std::size_t n_occasions = 1;
    std::size_t n_effects = 0; ///< η, then κ of each occasion
    std::vector<Measurement> measured;
    double sum_log_values = 0.0; ///< of law lognormal: densities are those of values
    std::uint64_t key = 0;       ///< random numbers go by it
};

/// What an input column of a solve holds.
struct InputPlace {
    enum class Kind { base, theta, eta, kappa };
    Kind kind = Kind::base;
    std::size_t index = 0; ///< theta: parameter; eta, kappa: which of them
};

class FitData {
public:
    explicit FitData(const FitSetup& setup);

    const FitSetup& setup() const { return setup_; }
    const pkpd::Model& model() const { return *setup_.model; }
    std::size_t n_subjects() const { return subjects.size(); }
    std::size_t n_eta() const { return eta_parameters.size(); }
    std::size_t n_kappa() const { return kappa_parameters.size(); }
    std::size_t n_parameters() const { return model().parameters.size(); }
    /// The parameter that an effect of a subject belongs to.
    std::size_t parameter_of_effect(std::size_t effect) const {
        return effect < n_eta() ? eta_parameters[effect]
                                : kappa_parameters[(effect - n_eta()) % n_kappa()];
    }

    std::vector<FitSubject> subjects;
    std::vector<std::size_t> eta_parameters, kappa_parameters; ///< in the model's order
    std::vector<int> outputs;                                  ///< that are measured
    std::vector<InputPlace> inputs;                            ///< [n_inputs]
    std::vector<double> base; ///< [n_rows × n_inputs], row after row, effects 0
    std::size_t n_measured = 0, n_censored = 0;
    std::vector<char> is_logarithmic;              ///< [outputs] the error is of law lognormal
    std::size_t max_effects = 0, max_measured = 0; ///< of a subject
    std::vector<double> effect_scale; ///< [n_parameters] 1 for effects of logarithms and logits
    sim::Timeline timeline;           ///< of all: no records, from the first row to the last

    std::size_t n_inputs() const { return inputs.size(); }
    /// The model's system, with covariates along straight lines where the data have such.
    sim::OdeSystem system() const;

private:
    void find_effects();
    void add_subject(std::size_t index);
    void fill_base();
    void place_inputs();

    const FitSetup& setup_;
};

} // namespace gemel::learners
