// @ts-check
/**
 * What the shop has to offer: numbers, names and prices that go into the events; each number is also the name of its
 * drawing in dishes.svg.
 */

/**
 * @typedef {{ readonly item_id: number, readonly item_name: string, readonly price: number,
 *   readonly about: string }} Dish
 */

/** @type {ReadonlyArray<Dish>} */
export const menu = [
  { item_id: 1, item_name: "Masala Dosa", price: 8.5, about: "Crisp rice crêpe, spiced potato, two chutneys" },
  { item_id: 2, item_name: "Paneer Tikka", price: 10.25, about: "Grilled cheese and peppers on skewers" },
  { item_id: 3, item_name: "Pad Thai", price: 11.75, about: "Rice noodles, tamarind, peanuts, lime" },
  { item_id: 4, item_name: "Margherita Pizza", price: 9.9, about: "Tomato, mozzarella, basil" },
  { item_id: 5, item_name: "Chicken Biryani", price: 12.99, about: "Saffron rice, chicken, fried onions" },
  { item_id: 6, item_name: "Crème brûlée", price: 6.4, about: "Vanilla custard under burnt sugar" },
  { item_id: 7, item_name: "Falafel Wrap", price: 7.2, about: "Chickpeas, lettuce, tahini" },
  { item_id: 8, item_name: "Miso Ramen", price: 13.5, about: "Noodles in broth, egg, nori, spring onion" },
  { item_id: 9, item_name: "Veggie Burger", price: 9.5, about: "Bean patty, cheese, tomato" },
  { item_id: 10, item_name: "Salmon Nigiri", price: 12, about: "Six pieces, with wasabi" },
  { item_id: 11, item_name: "Greek Salad", price: 8.9, about: "Tomato, cucumber, olives, feta" },
  { item_id: 12, item_name: "Mango Lassi", price: 4.2, about: "Yoghurt, mango, cardamom" }
]
