#include "commands.hpp"
#include "program.hpp"

#include <gemel/pkpd/published_effect.hpp>
#include <gemel/scenarios/text_table.hpp>

#include <fmt/format.h>

#include <cmath>

namespace gemel::cli {

namespace {

struct QualifyArguments {
    std::string file;
    bool only_independent = false;
    double largest = 0.0; ///< that the mean fold error may be; 0: any
};

std::vector<std::filesystem::path> files_of(const QualifyArguments& options) {
    if (!options.file.empty()) return {options.file};
    const io::Library found = library();
    std::vector<std::filesystem::path> files;
    for (const std::string& name : found.names("effects"))
        files.push_back(found.find("effects", name));
    return files;
}

std::vector<pkpd::PublishedEffect> effects_of(const QualifyArguments& options) {
    sim::DiagnosticList diagnostics;
    std::vector<pkpd::PublishedEffect> effects;
    for (const auto& file : files_of(options))
        for (pkpd::PublishedEffect& effect : pkpd::load_effects(file, library(), diagnostics))
            if (effect.is_independent || !options.only_independent)
                effects.push_back(std::move(effect));
    diagnostics.throw_if_any();
    return effects;
}

std::string interval_text(const pkpd::PublishedEffect& effect) {
    return std::isnan(effect.low) ? "" : fmt::format("{:.3g}–{:.3g}", effect.low, effect.high);
}

/// Predicted and observed ratios, of all effects or of a part.
struct Ratios {
    std::vector<double> predicted, observed;

    void add(double predicted_ratio, double observed_ratio) {
        predicted.push_back(predicted_ratio);
        observed.push_back(observed_ratio);
    }
    double mean_fold_error() const { return pkpd::geometric_mean_fold_error(predicted, observed); }
    std::string text(const char* what) const {
        std::size_t n_within = 0;
        for (std::size_t i = 0; i < predicted.size(); ++i)
            n_within += pkpd::fold_error(predicted[i], observed[i]) <= 2.0 ? 1 : 0;
        return fmt::format(
            "{:<13} {} effects, geometric mean fold error {:.2f}, {} within twofold\n",
            what,
            predicted.size(),
            mean_fold_error(),
            n_within);
    }
};

int qualify(const QualifyArguments& options) {
    std::vector<std::vector<std::string>> rows{{"drug",
                                                "contrast",
                                                "model",
                                                "predicted",
                                                "published",
                                                "interval",
                                                "n",
                                                "fold error",
                                                "seen",
                                                "independent"}};
    Ratios all, independent;
    for (const pkpd::PublishedEffect& effect : effects_of(options)) {
        const double predicted = pkpd::predicted_ratio(effect);
        all.add(predicted, effect.observed);
        if (effect.is_independent) independent.add(predicted, effect.observed);
        rows.push_back({effect.drug,
                        effect.contrast,
                        effect.model->id,
                        fmt::format("{:.3g}", predicted),
                        fmt::format("{:.3g}", effect.observed),
                        interval_text(effect),
                        effect.n > 0 ? fmt::format("{}", effect.n) : "",
                        fmt::format("{:.2f}", pkpd::fold_error(predicted, effect.observed)),
                        effect.seen,
                        effect.is_independent ? "yes" : "no"});
    }
    fmt::print("{}\n{}{}",
               scenarios::text_table(rows, scenarios::Alignment::left),
               all.text("all"),
               independent.text("independent"));
    const double error = all.mean_fold_error();
    if (options.largest > 0.0 && !(error <= options.largest)) {
        fmt::print(stderr, "gemel: the mean fold error is above {:g}\n", options.largest);
        return exit_gate;
    }
    return exit_ok;
}

} // namespace

void add_qualify(CLI::App& program, Action& action) {
    auto options = std::make_shared<QualifyArguments>();
    CLI::App* command = program.add_subcommand(
        "qualify", "Hold models against published effects of genotype and co-medication");
    command->add_option("FILE", options->file, "of format effects/1; default: the library's");
    command->add_flag("--independent",
                      options->only_independent,
                      "only effects seen in people the model was not made from");
    command
        ->add_option("--within",
                     options->largest,
                     "exit with 4 if the geometric mean fold error is above this")
        ->check(CLI::Range(1.0, 1e6));
    command->callback([options, &action] { action = [options] { return qualify(*options); }; });
}

} // namespace gemel::cli
