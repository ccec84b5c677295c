"""Group-buy (拼团): enough buyers in time, or everyone is refunded."""
